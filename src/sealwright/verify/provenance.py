"""SLSA provenance, held against the certificate that it was signed with, whatever it says of itself.

Enters: a statement whose signature and subjects are right. Leaves: what is wrong with it. The level is derived, not
read: a build on somebody's machine is level 1; one on a hosted runner, with the platform's own identity, whose claims
all agree with the certificate, is level 2; level 3 is only for a workflow of its own that the policy names as builder.
https://slsa.dev/spec/v1.0/verifying-artifacts
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.model.claims import CLAIMS
from sealwright.model.policy import AttestationRequirement
from sealwright.model.statement import GITHUB_BUILD, LOCAL_BUILD, LOCAL_BUILDER, Statement
from sealwright.verify.judged import Judged
from sealwright.verify.sigstore import claim_policy, objection

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_HOSTED = "github-hosted"
_LOCAL, _PLATFORM, _ISOLATED = 1, 2, 3
_KINDS = {kind.key: kind for kind in CLAIMS}


class _Claimed(NamedTuple):
    """One thing that a provenance says, and the claim of the certificate that must say the same."""

    what: str
    value: Any
    key: str


def judge_provenance(
    statement: Statement, certificate: "Certificate", requirement: AttestationRequirement, version: str
) -> Judged:
    """Hold a provenance of that version against its certificate and the policy."""
    predicate = statement.predicate
    definition, details = _object(predicate, "buildDefinition"), _object(predicate, "runDetails")
    builder = _object(details, "builder").get("id")
    expected = requirement.builder.expand(version) if requirement.builder else None
    if expected is not None and builder != expected:
        return Judged(f"its builder is {str(builder)[:200]}, not {expected}")
    level = _LOCAL
    if definition.get("buildType") == GITHUB_BUILD:
        if wrong := _disagreement(definition, details, certificate):
            return Judged(wrong)
        level = _LOCAL if doubts_of(statement) else _level(builder, expected, requirement, certificate)
    elif requirement.level > _LOCAL:
        return Judged(f"a build of type {str(definition.get('buildType'))[:200]} shows no more than level {_LOCAL}")
    elif (definition.get("buildType"), builder) != (LOCAL_BUILD, LOCAL_BUILDER):
        # Nothing of it is held against the certificate, so it must not claim to come from anywhere in particular.
        return Judged(f"a build of type {str(definition.get('buildType'))[:200]} names a builder that nobody certifies")
    if level < requirement.level:
        return Judged(f"it shows level {level}, and the policy asks for {requirement.level}")
    return Judged("", f"built from {_shown(definition)} by {str(builder)[:200]}: level {level}")


def _shown(definition: dict[str, Any]) -> str:
    """The source that a provenance names, and its commit: the same that is held against the certificate."""
    repository, ref, commit = _built_from(definition)
    return f"commit {str(commit)[:64]} of {repository} at {ref}"


def _built_from(definition: dict[str, Any]) -> tuple[str, str, Any]:
    parameters = _object(definition, "externalParameters")
    place = _object(parameters, "workflow") or parameters
    repository, ref = (str(place.get(key))[:200] for key in ("repository", "ref"))
    return repository, ref, _source(definition, f"git+{repository}@{ref}")


def commit_of(statement: Statement) -> str:
    """Return the commit that a provenance names as its source, as it stands there; empty if it names none."""
    commit = _built_from(_object(statement.predicate, "buildDefinition"))[2]
    return commit if isinstance(commit, str) else ""


def doubts_of(statement: Statement) -> str:
    """Return what a provenance says against itself; empty if nothing."""
    doubts = _object(_object(statement.predicate, "buildDefinition"), "internalParameters").get("doubts")
    return str(doubts)[:300] if doubts else ""


def _level(builder: Any, expected: str | None, requirement: AttestationRequirement, certificate: "Certificate") -> int:
    """Derive the level of a GitHub build whose claims agree with its certificate."""
    if objection(claim_policy(_KINDS["runner-environment"], _HOSTED), certificate):
        return _LOCAL
    own_workflow = bool(objection(claim_policy(_KINDS["build-config"], str(builder)), certificate))
    isolated = requirement.level == _ISOLATED and builder == expected and own_workflow
    return _ISOLATED if isolated else _PLATFORM


def _disagreement(definition: dict[str, Any], details: dict[str, Any], certificate: "Certificate") -> str:
    for claimed in _claims(definition, details):
        if not isinstance(claimed.value, str) or not claimed.value:
            return f"it does not say its {claimed.what}"
        if objection(claim_policy(_KINDS[claimed.key], claimed.value), certificate):
            return f"its {claimed.what} is {claimed.value[:200]}, and its certificate says otherwise"
    return ""


def _claims(definition: dict[str, Any], details: dict[str, Any]) -> Iterator[_Claimed]:
    """Everything of it that Fulcio certifies, too; what is optional is compared where it stands."""
    workflow = _object(_object(definition, "externalParameters"), "workflow")
    repository, ref, path = (workflow.get(key) for key in ("repository", "ref", "path"))
    yield _Claimed("repository", repository, "source-repository")
    yield _Claimed("ref", ref, "source-ref")
    yield _Claimed("workflow", f"{repository}/{path}@{ref}" if path else None, "build-config")
    yield _Claimed("builder", _object(details, "builder").get("id"), "build-signer")
    yield _Claimed("invocation", _object(details, "metadata").get("invocationId"), "run-invocation")
    source = _source(definition, f"git+{repository}@{ref}")
    yield _Claimed("commit", source, "source-digest")
    github = _object(_object(definition, "internalParameters"), "github")
    for name, key in (
        ("event_name", "build-trigger"),
        ("repository_id", "source-repository-id"),
        ("repository_owner_id", "source-owner-id"),
        ("runner_environment", "runner-environment"),
    ):
        if name in github:
            yield _Claimed(name, github[name], key)


def _source(definition: dict[str, Any], uri: str) -> Any:
    """The commit of the source: the one dependency with its URI. With two of them nobody knows which was built."""
    dependencies = definition.get("resolvedDependencies")
    entries = dependencies if isinstance(dependencies, list) else []
    commits = [_object(entry, "digest").get("gitCommit") for entry in entries if _uri(entry) == uri]
    return commits[0] if len(commits) == 1 else None


def _uri(entry: Any) -> Any:
    return entry.get("uri") if isinstance(entry, dict) else None


def _object(parent: Any, key: str) -> dict[str, Any]:
    """An object within another; empty where there is none, so that what is missing is a claim that is not made."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}
