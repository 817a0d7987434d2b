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
from sealwright.model.ordinary_names import canonical_project
from sealwright.model.policy import (
    PUBLISHABLE,
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
from sealwright.model.policy_sense import (
    ATTESTATIONS,
    refuse_double_counting,
    refuse_unfit_evidence,
    refuse_unreachable,
)
from sealwright.model.toml_table import Table, quote_line

MAX_POLICY_BYTES = 64 * 1024
_MAX_LINE = 1000  # tomllib's time grows with the square of a dotted key's parts, and a key cannot span lines
_MAX_SIGNERS = 1000
_TOP = ("schema", "project", "repository", "version", "expires", "sigstore-root")
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
    refuse_unreachable(policy.require, policy.signers)
    if policy.evidence is not None:
        refuse_unfit_evidence(policy.evidence, policy.require, policy.signers)
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
        hint = f"{quote_line(text, error)}docs/policy.md shows a whole one."
        raise PolicyError(f"the policy is not TOML: {error}", hint) from error
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
    release = top.table("release").only("tag", "evidence")
    tag, evidence = release.template("tag"), _evidence(release)
    require = _requirements(top.table("require"))
    signers = tuple(_signer(table) for table in top.tables("signer"))
    refuse_double_counting(signers)
    return Policy(project, repository, version, expires, root, places, tag, require, signers, evidence)


def _project(top: Table) -> str:
    name = top.fixed("project")
    try:
        return canonical_project(name)
    except ValueError as error:
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
        found[key] = table.only("artifacts", "evidence").template(key).text
        if "{" in found[key] and not found[key].startswith("https://"):
            raise table.fail(key, "may hold {version} only in an https:// URL")
        if not _PLACE.fullmatch(found[key]):
            raise table.fail(key, "must be index, github:OWNER/REPO or an https:// URL")
    return Places(found["artifacts"], found["evidence"])


def _evidence(table: Table) -> tuple[str, ...] | None:
    """Read which evidence the project publishes; None if the policy does not say."""
    if not table.has("evidence"):
        return None
    names = table.take("evidence")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise table.fail("evidence", "must be a list of kinds of evidence")
    if unknown := [name for name in names if name not in PUBLISHABLE]:
        raise table.fail("evidence", f"holds {unknown[0]!r}, which is none of {', '.join(PUBLISHABLE)}")
    if len(set(names)) != len(names):
        raise table.fail("evidence", "names something twice")
    return tuple(name for name in PUBLISHABLE if name in names)


def _requirements(table: Table) -> Requirements:
    table.only("signers", "openpgp", "sigstore", *ATTESTATIONS, "layout")
    signers, openpgp, sigstore = (table.whole(key, 0, _MAX_SIGNERS) for key in ("signers", "openpgp", "sigstore"))
    if signers < 1:
        raise table.fail("signers", "must be at least 1: a policy that asks nobody proves nothing")
    if openpgp + sigstore < 1:
        raise table.fail("openpgp", "and sigstore cannot both be 0: a signature of some kind must be required")
    for key, number in (("openpgp", openpgp), ("sigstore", sigstore)):
        if number > signers:
            raise table.fail(key, f"asks for {number} of {signers} signers", "It is a part of require.signers.")
    kinds = {key: _attestation(table, key) for key in ATTESTATIONS}
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
