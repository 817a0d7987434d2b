"""The deadlines of what trust rests on: trusted roots, layouts, revocation certificates.

Enters: a trust folder, or the path of a layout or of the register of keys. Leaves: deadlines, and notes of what has
none. Opens no connection.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.files.reading import read_named
from sealwright.model.deadline import Deadline, Period, add

if TYPE_CHECKING:
    from sealwright.model.policy import Policy
    from sealwright.store.trust_folder import TrustFolder

NOBODY = "no owner"
_GRACE = Period(6, 0)
_KIND = "trusted root"


def of_trusted_root(trust: "TrustFolder") -> tuple[list[Deadline], list[str]]:
    """When the trusted root that the policy names must be renewed; nothing for a policy that trusts no Sigstore.

    One that came with sigstore-python is good until its TUF root has expired, and half a year more: the instances sign
    a new one about twice a year, and it takes a release of sigstore-python to bring it
    (https://theupdateframework.github.io/specification/latest/#expires). One beside the policy lasts as long as its
    authorities and logs.
    """
    policy = trust.policy
    owners = ", ".join(signer.name for signer in policy.signers) or NOBODY
    if policy.sigstore_root in trust.others:
        return _of_own_root(trust, owners)
    if not policy.sigstore_identities():
        return [], []
    from sealwright.store.trusted_root import INSTANCES, shipped

    instance = INSTANCES[policy.sigstore_root]
    expires = _tuf_expiry(shipped(instance, "root.json"))
    if expires is None:
        return [], [f"the trusted root of {instance.name} names no end: install a newer sigstore now and then"]
    step = "install a newer sigstore-python (pip install -U sigstore), or verify with --refresh-trust"
    source = f"sigstore-python, whose TUF root of {instance.name} expires on {expires:%Y-%m-%d}"
    return [Deadline(_KIND, instance.name, owners, add(expires, _GRACE), step, source)], []


def _of_own_root(trust: "TrustFolder", owners: str) -> tuple[list[Deadline], list[str]]:
    from sealwright.model.trusted_root import TrustedRootFile, describe_root, end_of_root

    name, content = trust.policy.sigstore_root, trust.others[trust.policy.sigstore_root]
    end = end_of_root(content)
    if end is not None:
        step = "put the instance's present trusted root beside the policy, and publish the folder"
        return [Deadline(_KIND, name, owners, end, step, str(trust.path.with_name(name)))], []
    newest = describe_root(TrustedRootFile(name, content), trust.policy.expires).newest
    age = f"its newest authority or log is from {newest:%Y-%m-%d}" if newest else "it does not say how old it is"
    return [], [f"the trusted root {name} names no end; {age}: ask its instance for a newer one now and then"]


def _tuf_expiry(content: bytes) -> datetime | None:
    from sealwright.files.strict_json import read_json

    try:
        moment = datetime.fromisoformat(read_json(content)["signed"]["expires"])
    except (ValueError, KeyError, TypeError):
        return None
    return moment if moment.tzinfo else None


def of_layout(path: Path) -> list[Deadline]:
    """When an in-toto layout expires. Raises UsageError if it is none."""
    from sealwright.jobs.layout import read_layout_file

    expires = read_layout_file(path).expires
    step = "sealwright layout new, and layout sign by each maintainer"
    return [Deadline("layout", path.name, NOBODY, expires, step, str(path))]


def of_key_register(path: Path) -> list[Deadline]:
    """When somebody must look again whether each revocation certificate is where the register says."""
    from sealwright.model.key_register import MAX_KEY_REGISTER_BYTES, key_register_deadlines, parse_key_register

    content = read_named(path, MAX_KEY_REGISTER_BYTES, "the register of keys")
    return key_register_deadlines(parse_key_register(content, str(path)), str(path))


def missing_revocations(fingerprints: set[str], policy: "Policy", register: Path) -> list[str]:
    """Say of which keys of the policy the register does not know where a revocation certificate lies."""
    from sealwright.model.key_register import MAX_KEY_REGISTER_BYTES, parse_key_register

    known: set[str] = set()
    if register.exists():
        content = read_named(register, MAX_KEY_REGISTER_BYTES, "the register of keys")
        known = {record.fingerprint for record in parse_key_register(content, str(register))}
    return [
        f"no revocation certificate of {fingerprint} ({_owner(policy, fingerprint)}) is recorded in {register}"
        for fingerprint in sorted(fingerprints - known)
    ]


def _owner(policy: "Policy", fingerprint: str) -> str:
    signer = policy.signer_of_key(fingerprint)
    return signer.name if signer else NOBODY
