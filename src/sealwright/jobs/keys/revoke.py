"""A key, or one subkey, revoked with its reason; and what the policy must say for its old releases to be judged right.

Enters: a key that the policy lists, and its secret part, or the revocation certificate that was put away. Leaves: a
revoked public key in the trust folder, where it stays, so that everyone learns of it. What cannot be undone is done
last here: the job has checked everything else before.
"""

import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import read_named
from sealwright.gnupg.home import private_home
from sealwright.gnupg.listing import Key, Revocation
from sealwright.gnupg.public_key import read_material
from sealwright.jobs.keys.change import Changed, Where, open_listed, read_listed
from sealwright.jobs.keys.public import PublicPart, renew_public
from sealwright.jobs.keys.secret import Clock
from sealwright.store.key_register import set_key_record
from sealwright.store.policy_editing import set_until
from sealwright.store.trust_editing import Draft, publish, read_draft

if TYPE_CHECKING:
    from packaging.version import Version

REASONS = {
    "compromised": Revocation.COMPROMISED,
    "superseded": Revocation.SUPERSEDED,
    "retired": Revocation.RETIRED,
    "unspecified": Revocation.NO_REASON,
}
MAX_CERTIFICATE_BYTES = 64 * 1024
_GENTLE = (Revocation.SUPERSEDED, Revocation.RETIRED)


class Revoke(NamedTuple):
    """What to revoke: the whole key, or one `subkey`. `until`: the last version that the key counts for."""

    reason: Revocation | None
    subkey: str = ""
    until: "Version | None" = None
    certificate: bytes | None = None
    lost: bool = False


def check_revoke(where: Where, wanted: Revoke, clock: Clock) -> PublicPart:
    """Find everything that could be wrong before something is revoked, and return what is published of the key.

    Raises UsageError and PolicyError.
    """
    draft, old = read_listed(where)
    if wanted.lost and (wanted.until is None or wanted.certificate or wanted.subkey or wanted.reason):
        raise UsageError(
            "--lost revokes nothing: it needs --until-version, and neither a reason, a certificate nor a subkey",
            "The last version that was signed with the key counts; no later one does.",
        )
    if not wanted.lost and wanted.certificate is None and wanted.reason is None:
        raise UsageError("say why: --reason compromised, superseded, retired or unspecified")
    if wanted.certificate is not None and (wanted.subkey or wanted.reason):
        raise UsageError("a revocation certificate says itself what it revokes, and why", "Leave out the others.")
    part = renew_public(where.gpg, where.fingerprint, None, old, clock())
    if wanted.subkey and wanted.subkey not in {key.fingerprint for key in part.signing} - {where.fingerprint}:
        raise UsageError(
            f"{where.fingerprint} has no signing subkey {wanted.subkey}", "sealwright keys status shows them."
        )
    limit = _limit(draft, where.fingerprint)
    if wanted.subkey and wanted.until and limit and wanted.until > limit:
        raise UsageError(
            f"the whole key {where.fingerprint} counts until {limit} already, and a subkey does not raise that",
            f"--until-version {limit}, or an earlier one.",
        )
    reason = wanted.reason if wanted.certificate is None else _reason_of(_apply(where, old, wanted.certificate, clock))
    if reason in _GENTLE and wanted.until is None:
        raise UsageError(
            "a key that is superseded or retired counts up to a version: say which one was its last",
            "--until-version 2.0 (the key counts for no later one). To replace a subkey and keep the key: keys rotate.",
        )
    if reason not in _GENTLE and wanted.until is not None and not wanted.lost:
        raise UsageError(
            "--until-version is for keys that are superseded or retired",
            "What was signed with a key that is compromised, or revoked without a reason, never counts again.",
        )
    return part


def revoke(where: Where, wanted: Revoke, clock: Clock, register: Path | None = None) -> Changed:
    """Revoke, publish, and set the until-version of a key that counts up to one.

    A second run finds the revocation, and only publishes it. Raises UsageError, PolicyError and UndecidedError.
    """
    check_revoke(where, wanted, clock)
    draft, old = read_listed(where)
    if wanted.lost:
        part = renew_public(where.gpg, where.fingerprint, None, old, clock())._replace(content=old)
    elif wanted.certificate is not None:
        part = _apply(where, old, wanted.certificate, clock)
    else:
        part = _with_secret(where, draft, old, wanted, clock)
    until, fingerprint = wanted.until, where.fingerprint

    def edit(content: bytes) -> bytes:
        return set_until(content, fingerprint, until) if until is not None else content

    published = publish(where.policy, fingerprint, part.content, edit)
    if register is not None and not wanted.subkey and not wanted.lost:
        set_key_record(register, fingerprint, {}, {"revoked": clock().date()})
    left = _limit(draft, fingerprint) if wanted.subkey and until is None else None
    return Changed((wanted.subkey or fingerprint,), part, published, left=left)


def _limit(draft: Draft, fingerprint: str) -> "Version | None":
    """The until-version that the policy gives the whole key."""
    return next(key.until_version for key in draft.policy.openpgp_keys() if key.fingerprint == fingerprint)


def read_certificate(path: Path) -> bytes:
    """Read the file of a revocation certificate. Raises UsageError and UndecidedError."""
    hint = "It is FINGERPRINT.revocation.asc, which sealwright keys new wrote beside the backup."
    return read_named(path, MAX_CERTIFICATE_BYTES, "the revocation certificate", hint)


def find_certified(gpg: str | None, policy: Path, file: Path, now: datetime) -> tuple[str, str, Revocation]:
    """Try a revocation certificate on each published key; return the one it revokes, whose it is, and the reason.

    Changes nothing. Raises UsageError if it revokes none of them; a key that is revoked already is passed over.
    """
    certificate = read_certificate(file)
    draft = read_draft(policy)
    for signer in draft.policy.signers:
        for entry in signer.openpgp:
            where = Where(gpg, policy, entry.fingerprint, None, lambda _: "")
            old = draft.keys[entry.fingerprint]
            if not renew_public(gpg, entry.fingerprint, None, old, now).primary.revocations:
                with contextlib.suppress(UsageError):
                    return entry.fingerprint, signer.name, _reason_of(_apply(where, old, certificate, lambda: now))
    raise UsageError(f"{file} revokes no key of the policy that is not revoked already", "Look for the right one now.")


def _with_secret(where: Where, draft: Draft, old: bytes, wanted: Revoke, clock: Clock) -> PublicPart:
    reason, which = wanted.reason or Revocation.NO_REASON, wanted.subkey or where.fingerprint
    with open_listed(where, draft) as secret:
        secret.learn(old)
        there = next((key for key in secret.keyring.public_keys(where.fingerprint) if key.fingerprint == which), None)
        if there is None:
            raise UsageError(f"the keyring does not know the subkey {which}")
        if not _says(there, reason):
            if wanted.subkey:
                secret.keyring.revoke_subkey(where.fingerprint, which, reason, secret.passphrase)
            else:
                secret.keyring.revoke(where.fingerprint, reason, secret.passphrase)
            secret.save()
        part = renew_public(where.gpg, where.fingerprint, old, secret.public(), clock())
    revoked = next((key for key in part.keys if key.fingerprint == which), None)
    if revoked is None or not _says(revoked, reason):
        raise UndecidedError(
            f"gpg leaves out that {which} was revoked as {reason.name.lower()}: an earlier one is of the future",
            "Take the key out of the policy until that time has come, and run this again then.",
        )
    return part


def _says(key: Key, reason: Revocation) -> bool:
    """Whether a key is revoked for that reason, or, being a subkey, for one that is as grave."""
    as_grave = key.revocations and (reason in _GENTLE or not key.gently_revoked)
    return reason in key.revocations or bool(key.fingerprint != key.primary and as_grave)


def _apply(where: Where, old: bytes, certificate: bytes, clock: Clock) -> PublicPart:
    """Return the published key as the certificate leaves it. Raises UsageError if it does not revoke that key."""
    fingerprint = where.fingerprint
    # gpg puts a colon before the armor, so that nobody imports it by accident; this is no accident.
    certificate = certificate.replace(b"\n:-----BEGIN", b"\n-----BEGIN")
    with private_home(where.gpg) as home:
        before = read_material(home, old)
        after = read_material(home, certificate)
        content = home.run(["--batch", "--armor", "--export", fingerprint])
    if after.secret or after.primaries != [fingerprint] or before.primaries != [fingerprint]:
        raise UsageError(f"that file is no revocation certificate: it holds more than a revocation of {fingerprint}")
    if not after.keys[0].revocations:
        raise UsageError(f"that is no revocation certificate of {fingerprint}")
    return renew_public(where.gpg, fingerprint, old, content, clock())


def _reason_of(part: PublicPart) -> Revocation:
    """The gravest reason: a second, gentler certificate must not soften a first one."""
    reasons = set(part.primary.revocations)
    return next(iter(reasons - set(_GENTLE)), None) or next(iter(reasons))
