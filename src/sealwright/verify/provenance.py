"""SLSA provenance, held against the certificate that it was signed with, whatever it says of itself.

Enters: a statement whose signature and subjects are right. Leaves: what is wrong with it. The level is derived, not
read: a build on somebody's machine is level 1; one on a hosted runner, with the platform's own identity, whose claims
all agree with the certificate, is level 2; level 3 is only for a workflow of its own that the policy names as builder.
https://slsa.dev/spec/v1.0/verifying-artifacts
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.model.claims import CLAIMS, FULCIO
from sealwright.model.policy import AttestationRequirement
from sealwright.model.statement import GITHUB_BUILD, LOCAL_BUILD, LOCAL_BUILDER, Statement, is_gitlab_build
from sealwright.verify.judged import Judged
from sealwright.verify.sigstore import claim_policy, objection

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_LOCAL, _PLATFORM, _ISOLATED = 1, 2, 3
_KINDS = {kind.key: kind for kind in CLAIMS}


class _Claimed(NamedTuple):
    """One thing that a provenance says, and the claim of the certificate that must say the same."""

    what: str
    value: Any
    key: str


class _Platform(NamedTuple):
    """A builder whose runs are certified: its name, what its own runners are called, where a run of a repository is.

    `claims` yields what its statements say; `isolates` is whether a definition of its own can run a build for others.
    """

    name: str
    hosted: str
    runs: str
    claims: Callable[[dict[str, Any], dict[str, Any]], Iterator[_Claimed]]
    isolates: bool


def foresee_provenance(statement: Statement, requirement: AttestationRequirement, version: str) -> str:
    """Say what the policy will hold against a provenance whatever certificate signs it; empty if nothing."""
    definition = _object(statement.predicate, "buildDefinition")
    builder = _object(_object(statement.predicate, "runDetails"), "builder").get("id")
    expected = requirement.builder.expand(version) if requirement.builder else None
    if expected is not None and builder != expected:
        return f"its builder is {str(builder)[:200]}, not {expected}"
    if _platform_of(definition) is None and requirement.level > _LOCAL:
        return f"a build of type {str(definition.get('buildType'))[:200]} shows no more than level {_LOCAL}"
    return ""


def judge_provenance(
    statement: Statement, certificate: "Certificate", requirement: AttestationRequirement, version: str
) -> Judged:
    """Hold a provenance of that version against its certificate and the policy."""
    if wrong := foresee_provenance(statement, requirement, version):
        return Judged(wrong)
    predicate = statement.predicate
    definition, details = _object(predicate, "buildDefinition"), _object(predicate, "runDetails")
    builder = _object(details, "builder").get("id")
    expected = requirement.builder.expand(version) if requirement.builder else None
    level, platform = _LOCAL, _platform_of(definition)
    if platform is not None:
        if wrong := _disagreement(platform, definition, details, certificate):
            return Judged(wrong)
        level = _LOCAL if doubts_of(statement) else _level(platform, builder, expected, requirement, certificate)
    elif (definition.get("buildType"), builder) != (LOCAL_BUILD, LOCAL_BUILDER):
        # Nothing of it is held against the certificate, so it must not claim to come from anywhere in particular.
        return Judged(f"a build of type {str(definition.get('buildType'))[:200]} names a builder that nobody certifies")
    elif wrong := _local_disagreement(definition, certificate):
        return Judged(wrong)
    if level < requirement.level:
        return Judged(f"it shows level {level}, and the policy asks for {requirement.level}")
    return Judged("", f"built from {_shown(definition)} by {str(builder)[:200]}: level {level}")


def _shown(definition: dict[str, Any]) -> str:
    """The source that a provenance names, and its commit: the same that is held against the certificate."""
    repository, ref, commit = _built_from(definition)
    return f"commit {str(commit)[:64]} of {repository} at {ref}"


def _built_from(definition: dict[str, Any]) -> tuple[str, str, Any]:
    repository, ref = (str(value)[:200] for value in _place(definition))
    return repository, ref, _source(definition, f"git+{repository}@{ref}")


def _place(definition: dict[str, Any]) -> tuple[Any, Any]:
    """The repository and the reference, where statements of that build type have them, and nowhere else."""
    parameters = _object(definition, "externalParameters")
    if is_gitlab_build(definition.get("buildType")):
        return parameters.get("source"), parameters.get("ref")
    place = _object(parameters, "workflow") if definition.get("buildType") == GITHUB_BUILD else parameters
    return place.get("repository"), place.get("ref")


def commit_of(statement: Statement) -> str:
    """Return the commit that a provenance names as its source, as it stands there; empty if it names none."""
    commit = _built_from(_object(statement.predicate, "buildDefinition"))[2]
    return commit if isinstance(commit, str) else ""


def doubts_of(statement: Statement) -> str:
    """Return what a provenance says against itself; empty if nothing."""
    doubts = _object(_object(statement.predicate, "buildDefinition"), "internalParameters").get("doubts")
    return str(doubts)[:300] if doubts else ""


def _level(
    platform: _Platform, builder: Any, expected: str | None, requirement: AttestationRequirement,
    certificate: "Certificate",
) -> int:  # fmt: skip
    """Derive the level of a build whose claims agree with its certificate."""
    if objection(claim_policy(_KINDS["runner-environment"], platform.hosted), certificate):
        return _LOCAL
    own_workflow = bool(objection(claim_policy(_KINDS["build-config"], str(builder)), certificate))
    isolated = platform.isolates and requirement.level == _ISOLATED and builder == expected and own_workflow
    return _ISOLATED if isolated else _PLATFORM


def _disagreement(
    platform: _Platform, definition: dict[str, Any], details: dict[str, Any], certificate: "Certificate"
) -> str:
    for claimed in (*_claims(definition, details), *platform.claims(definition, details)):
        if wrong := _against(claimed, certificate):
            return wrong
    # The invocation is certified, and its form tells the platform: a run of one must not pass as the other's.
    if not str(_invocation(details)).startswith(f"{_place(definition)[0]}{platform.runs}"):
        return f"its invocation {str(_invocation(details))[:200]} is no run of {platform.name}"
    return ""


def _local_disagreement(definition: dict[str, Any], certificate: "Certificate") -> str:
    """A local build that a CI job signs is of that job's source: whatever the certificate says of it must agree."""
    for claimed in _source_claims(definition):
        if _certifies(certificate, claimed.key) and (wrong := _against(claimed, certificate)):
            return wrong
    return ""


def _against(claimed: _Claimed, certificate: "Certificate") -> str:
    if not isinstance(claimed.value, str) or not claimed.value:
        return f"it does not say its {claimed.what}"
    if objection(claim_policy(_KINDS[claimed.key], claimed.value), certificate):
        return f"its {claimed.what} is {claimed.value[:200]}, and its certificate says otherwise"
    return ""


def _certifies(certificate: "Certificate", key: str) -> bool:
    """Whether a certificate has a claim at all; one that cannot be read might, so that it is held against it."""
    oid = f"{FULCIO}{_KINDS[key].number}"
    try:
        return any(extension.oid.dotted_string == oid for extension in certificate.extensions)
    except ValueError:
        return True


def _claims(definition: dict[str, Any], details: dict[str, Any]) -> Iterator[_Claimed]:
    """What Fulcio certifies of a run, wherever it was."""
    yield from _source_claims(definition)
    yield _Claimed("builder", _object(details, "builder").get("id"), "build-signer")
    yield _Claimed("invocation", _invocation(details), "run-invocation")


def _source_claims(definition: dict[str, Any]) -> Iterator[_Claimed]:
    repository, ref = _place(definition)
    yield _Claimed("repository", repository, "source-repository")
    yield _Claimed("ref", ref, "source-ref")
    yield _Claimed("commit", _source(definition, f"git+{repository}@{ref}"), "source-digest")


def _github_claims(definition: dict[str, Any], details: dict[str, Any]) -> Iterator[_Claimed]:
    """What else a GitHub build says; what is optional is compared where it stands."""
    repository, ref = _place(definition)
    path = _object(_object(definition, "externalParameters"), "workflow").get("path")
    yield _Claimed("workflow", f"{repository}/{path}@{ref}" if path else None, "build-config")
    yield from _stated(_object(_object(definition, "internalParameters"), "github"), {
        "event_name": "build-trigger",
        "repository_id": "source-repository-id",
        "repository_owner_id": "source-owner-id",
        "runner_environment": "runner-environment",
    })  # fmt: skip


def _gitlab_claims(definition: dict[str, Any], details: dict[str, Any]) -> Iterator[_Claimed]:
    """What else a GitLab build says. Its builder is the definition of its pipeline."""
    yield _Claimed("pipeline", _object(details, "builder").get("id"), "build-config")
    internal = _object(definition, "internalParameters")
    if "job" in internal:
        job, runs = internal["job"], f"{_place(definition)[0]}{_GITLAB.runs}"
        yield _Claimed("job", f"{runs}{job}" if isinstance(job, str | int) else None, "run-invocation")
    yield from _stated(_object(internal, "gitlab"), {
        "pipeline_source": "build-trigger",
        "project_id": "source-repository-id",
        "namespace_id": "source-owner-id",
        "runner_environment": "runner-environment",
        "ci_config_sha": "build-config-digest",
    })  # fmt: skip


def _stated(stated: dict[str, Any], known: dict[str, str]) -> Iterator[_Claimed]:
    return (_Claimed(name, stated[name], key) for name, key in known.items() if name in stated)


_GITHUB = _Platform("GitHub", "github-hosted", "/actions/runs/", _github_claims, isolates=True)
_GITLAB = _Platform("GitLab", "gitlab-hosted", "/-/jobs/", _gitlab_claims, isolates=False)


def _platform_of(definition: dict[str, Any]) -> _Platform | None:
    if definition.get("buildType") == GITHUB_BUILD:
        return _GITHUB
    return _GITLAB if is_gitlab_build(definition.get("buildType")) else None


def _invocation(details: dict[str, Any]) -> Any:
    return _object(details, "metadata").get("invocationId")


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
