"""Reading a policy: bytes of TOML in, a `Policy` out, or an error that names the line of the file to mend.

Enters: the content of policy.toml. Leaves: `Policy`. Never guesses: an unknown key, a missing one, a wrong
type, or a requirement that the listed signers can never meet, is a PolicyError.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime

from sealwright.errors import PolicyError
from sealwright.model.claims import CLAIMS
from sealwright.model.policy import (
    AttestationRequirement,
    Claim,
    OpenPGPKey,
    Places,
    Policy,
    Requirements,
    Signer,
    SigstoreIdentity,
    Template,
)
from sealwright.model.toml_table import Table

MAX_POLICY_BYTES = 64 * 1024
_MAX_LINE = 1000  # tomllib's time grows with the square of a dotted key's parts, and a key cannot span lines
_MAX_SIGNERS = 1000
_TOP = ("schema", "project", "repository", "version", "expires", "sigstore-root")
_ATTESTATIONS = ("release", "provenance", "sbom", "audit")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_PLACE = re.compile(r"index|github:[A-Za-z0-9._-]+/[A-Za-z0-9._-]+|https://\S+")
_ROOT_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.json")
# The issuers whose certificates name a repository: without it, any workflow of that host could be meant.
_FORGE_ISSUERS = ("https://token.actions.githubusercontent.com", "https://gitlab.com")


def parse_policy(content: bytes) -> Policy:
    """Read a policy (TOML 1.0, https://toml.io/en/v1.0.0, UTF-8, at most 64 KiB).

    Raises PolicyError, whose message names the key.
    """
    policy = parse_draft(content)
    _refuse_unreachable(policy.require, policy.signers)
    return policy


def parse_draft(content: bytes) -> Policy:
    """Read a policy whose signers are still being listed: nothing may be judged by it. Raises PolicyError."""
    try:
        if len(content) > MAX_POLICY_BYTES:
            raise PolicyError(f"the policy is larger than {MAX_POLICY_BYTES} bytes")
        text = content.decode("utf-8")
        if any(len(line) > _MAX_LINE for line in text.split("\n")):
            raise PolicyError(f"the policy has a line of more than {_MAX_LINE} characters")
        document: Mapping[str, object] = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise PolicyError(f"the policy is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise PolicyError("the policy is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and int() of a number with too many digits
        raise PolicyError(f"the policy is not TOML: {error}") from error
    top = Table(document, "").only(*_TOP, "places", "release", "require", "signer")
    if top.whole("schema", 1) != 1:
        raise PolicyError("schema must be 1", "A later schema needs a later Sealwright.")
    project = _project(top)
    repository = top.fixed("repository")
    if not repository.startswith("https://"):
        raise top.fail("repository", "must be an https:// URL")
    version = top.whole("version", 1)
    expires = _expiry(top)
    root = top.fixed("sigstore-root")
    if root not in ("production", "staging") and not _ROOT_FILE.fullmatch(root):
        raise top.fail("sigstore-root", "must be production, staging, or a .json file beside the policy")
    places = _places(top.table("places"))
    tag = top.table("release").only("tag").template("tag")
    require = _requirements(top.table("require"))
    signers = tuple(_signer(table) for table in top.tables("signer"))
    _refuse_double_counting(signers)
    return Policy(project, repository, version, expires, root, places, tag, require, signers)


def _project(top: Table) -> str:
    from packaging.utils import InvalidName, canonicalize_name

    name = top.fixed("project")
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise top.fail("project", "is no name of a Python project (PEP 508)") from error


def _expiry(top: Table) -> datetime:
    value = top.take("expires")
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise top.fail("expires", "must be a date and time with its zone, such as 2027-03-31T00:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise top.fail("expires", "is out of range") from error


def _places(table: Table) -> Places:
    found = {}
    for key in ("artifacts", "evidence"):
        found[key] = table.only("artifacts", "evidence").fixed(key)
        if not _PLACE.fullmatch(found[key]):
            raise table.fail(key, "must be index, github:OWNER/REPO or an https:// URL")
    return Places(found["artifacts"], found["evidence"])


def _requirements(table: Table) -> Requirements:
    table.only("signers", "openpgp", "sigstore", *_ATTESTATIONS, "layout")
    signers, openpgp, sigstore = (table.whole(key, 0, _MAX_SIGNERS) for key in ("signers", "openpgp", "sigstore"))
    if signers < 1:
        raise table.fail("signers", "must be at least 1: a policy that asks nobody proves nothing")
    if openpgp + sigstore < 1:
        raise table.fail("openpgp", "and sigstore cannot both be 0: a signature of some kind must be required")
    for key, number in (("openpgp", openpgp), ("sigstore", sigstore)):
        if number > signers:
            raise table.fail(key, f"asks for {number} of {signers} signers", "It is a part of require.signers.")
    kinds = {key: _attestation(table, key) for key in _ATTESTATIONS}
    layout = table.take("layout")
    if not isinstance(layout, bool):
        raise table.fail("layout", "must be true or false")
    return Requirements(signers, openpgp, sigstore, **kinds, layout=layout)


def _attestation(parent: Table, key: str) -> AttestationRequirement | None:
    value = parent.take(key)
    if value is False:
        return None
    if value is True:
        raise parent.fail(key, 'must be false, or say whose it must be: { signers = ["NAME"] }')
    provenance, audit = key == "provenance", key == "audit"
    more = ("level", "builder") if provenance else ("max-age-days",) if audit else ()
    table = Table(value, f"require.{key}").only("signers", *more)
    names = table.take("signers")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise table.fail("signers", "must be a list of signers' names")
    if len(set(names)) != len(names):
        raise table.fail("signers", "names someone twice")
    return AttestationRequirement(
        signers=tuple(names),
        level=table.whole("level", 1, 3) if provenance else 0,
        builder=table.template("builder") if provenance else None,
        max_age_days=table.whole("max-age-days", 1, 3650) if audit else 0,
    )


def _signer(table: Table) -> Signer:
    table.only("name", "openpgp", "sigstore")
    name = table.text("name")
    keys = tuple(_openpgp_key(entry) for entry in table.tables("openpgp"))
    identities = tuple(_sigstore_identity(entry) for entry in table.tables("sigstore"))
    if not keys and not identities:
        raise PolicyError(f"the signer {name} has neither an OpenPGP key nor a Sigstore identity")
    return Signer(name, keys, identities)


def _openpgp_key(table: Table) -> OpenPGPKey:
    table.only("fingerprint", "until-version")
    fingerprint = table.fixed("fingerprint").upper()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise table.fail(
            "fingerprint",
            "must be the 40 or 64 hex digits of a primary key, without spaces",
            "gpg --list-keys shows it; a short key id can be forged.",
        )
    until = None
    if table.has("until-version"):
        from packaging.version import InvalidVersion, Version

        text = table.fixed("until-version")
        try:
            until = Version(text)
        except InvalidVersion as error:
            raise table.fail("until-version", "is no version (PEP 440)") from error
    return OpenPGPKey(fingerprint, until)


def _sigstore_identity(table: Table) -> SigstoreIdentity:
    table.only("identity", "oidc-issuer", *(kind.key for kind in CLAIMS))
    identity, issuer = table.template("identity"), table.fixed("oidc-issuer")
    if not issuer.startswith("https://"):
        raise table.fail("oidc-issuer", "must be an https:// URL")
    if issuer in _FORGE_ISSUERS and not table.has("source-repository"):
        raise table.fail("source-repository", f"is missing; it is required for {issuer}")
    claims = tuple(
        Claim(kind.key, table.template(kind.key) if kind.template else Template(table.fixed(kind.key)))
        for kind in CLAIMS
        if table.has(kind.key)
    )
    return SigstoreIdentity(identity, issuer, claims)


def _refuse_double_counting(signers: tuple[Signer, ...]) -> None:
    """One key, identity or name under two signers would let one person count twice."""
    seen: dict[object, str] = {}
    for signer in signers:
        marks: list[object] = [signer.name.casefold()]
        marks += [key.fingerprint for key in signer.openpgp]
        marks += [(entry.identity.text, entry.oidc_issuer) for entry in signer.sigstore]
        for mark in marks:
            if mark in seen:
                what = (
                    mark if isinstance(mark, str) else " from ".join(map(str, mark)) if isinstance(mark, tuple) else ""
                )
                raise PolicyError(
                    f"{what} is listed twice, for {seen[mark]} and for {signer.name}",
                    "A signer counts once: list each name, key and identity once.",
                )
            seen[mark] = signer.name


def _refuse_unreachable(require: Requirements, signers: tuple[Signer, ...]) -> None:
    """A threshold that nobody can meet is a mistake to be told now, not at the release."""
    if not signers:
        raise PolicyError(
            "the policy lists no signer, so no release can ever be trusted",
            "Add a [[signer]] with a [[signer.openpgp]] fingerprint: docs/policy.md shows how.",
        )
    able = {
        "signers": len(signers),
        "openpgp": sum(1 for signer in signers if signer.openpgp),
        "sigstore": sum(1 for signer in signers if signer.sigstore),
    }
    for key, there in able.items():
        asked = getattr(require, key)
        if asked > there:
            raise PolicyError(f"require.{key} asks for {asked}, but only {there} of the listed signers could")
    if require.layout and not able["openpgp"]:
        raise PolicyError(
            "require.layout asks for a layout, but no signer is listed who could sign one",
            "Layouts are signed with OpenPGP: list a [[signer.openpgp]].",
        )
    keyless = {signer.name for signer in signers if signer.sigstore}
    for key in _ATTESTATIONS:
        requirement: AttestationRequirement | None = getattr(require, key)
        for name in requirement.signers if requirement else ():
            if name not in keyless:
                raise PolicyError(
                    f"require.{key}.signers names {name}, who is no signer with a Sigstore identity",
                    "Attestations are signed with Sigstore: list a [[signer.sigstore]] for that name.",
                )
