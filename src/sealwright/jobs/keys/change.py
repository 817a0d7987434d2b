"""A key extended or rotated: its secret part changed where it lies, its public part then published.

Enters: a key that the policy lists, its secret part, and the time. Leaves: a changed key, and its new public part in
the trust folder. The time that a signature states never helps it, so a subkey that has signed releases must not
expire: an old one is kept valid together with the new one, and only its secret part is deleted. What was begun and
interrupted is found in the keyring by the next run, and finished.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UsageError
from sealwright.gnupg.listing import HERE, UNUSABLE, Key
from sealwright.jobs.keys.public import PublicPart, renew_public
from sealwright.jobs.keys.secret import Clock, Secret, open_secret, refuse_in_repository, write_secret_file
from sealwright.model.deadline import Period, add
from sealwright.store.trust_editing import Draft, Published, publish, read_draft

if TYPE_CHECKING:
    from packaging.version import Version

_ENOUGH = timedelta(days=1)  # a key that lasts so long, but for a day, is not extended again


class Where(NamedTuple):
    """A key, and where everything about it is. `key_file`: its secret part, if it is not in the user's keyring."""

    gpg: str | None
    policy: Path
    fingerprint: str
    key_file: Path | None
    ask: Callable[[str], str]


class Changed(NamedTuple):
    """What became of a key: the parts that changed, its public part now, and what was published.

    `left`: the until-version of the whole key, which the revocation of a subkey left as it was. `replaced`: the subkeys
    that a rotation replaced; `deleted` those of them whose secret part it has deleted here.
    """

    parts: tuple[str, ...]
    part: PublicPart
    published: Published
    resumed: bool = False
    left: "Version | None" = None
    replaced: tuple[Key, ...] = ()
    deleted: frozenset[str] = frozenset()


class Plan(NamedTuple):
    """What a dry run would change, and the public part as it stands."""

    parts: tuple[str, ...]
    part: PublicPart


def extend(where: Where, lifetime: Period, clock: Clock, *, dry: bool = False) -> Changed | Plan:
    """Let a key and its signing subkeys, the replaced ones, too, expire later; what was revoked stays so.

    `dry` returns what would be extended. Raises UsageError, PolicyError and UndecidedError.
    """
    draft, old = read_listed(where)
    until = add(clock(), lifetime)
    with open_listed(where, draft) as secret:
        _, joined = _known(where, secret, old, clock)
        primary, subkeys = _expiring(joined, until)
        parts = tuple(key.fingerprint for key in (*primary, *subkeys))
        if dry:
            return Plan(parts, joined)
        secret.learn(old)
        _postpone(secret, primary, subkeys, until)
        if parts:
            secret.save()
        return _publish(where, draft, secret, parts, clock)


def rotate(
    where: Where, lifetime: Period, clock: Clock, *, backup: Path | None = None, keep_old: bool = False,
    dry: bool = False,
) -> Changed | Plan:  # fmt: skip
    """Give a key a new signing subkey. The old ones stay valid as long as it, and lose their secret parts.

    `dry` returns the subkeys that would lose them. Raises UsageError, PolicyError, UndecidedError.
    """
    if backup is not None:
        refuse_in_repository(backup, where.policy)
    draft, old = read_listed(where)
    with open_listed(where, draft) as secret:
        published, joined = _known(where, secret, old, clock)
        replaced = [key for key in published.signing if key.fingerprint != where.fingerprint]
        known = {key.fingerprint for key in published.keys}
        if dry:
            return Plan(tuple(key.fingerprint for key in replaced), joined)
        secret.learn(old)
        begun = [key for key in secret.keys if _signs_here(key) and key.fingerprint not in known]
        if not begun and f"{where.fingerprint}.asc" in draft.stale:  # only SHA256SUMS was not written any more
            begun = [key for key in secret.keys if _signs_here(key)][-1:]
            replaced = [key for key in replaced if key.fingerprint not in {each.fingerprint for each in begun}]
        until = add(clock(), lifetime)
        new = begun[0] if begun else secret.keyring.add_subkey(
            where.fingerprint, f"{until:%Y%m%dT%H%M%S}", secret.passphrase
        )  # fmt: skip
        secret.save()
        primary, subkeys = _expiring(joined, new.expires or until)
        _postpone(secret, primary, subkeys, new.expires or until)
        if backup is not None:
            content = secret.keyring.export_secret(where.fingerprint, secret.passphrase)
            write_secret_file(backup / f"{where.fingerprint}.secret.asc", content)
        old_ones = {key.fingerprint for key in replaced}
        gone = {key.fingerprint for key in replaced} if not keep_old else frozenset()
        deleted = [key for key in secret.keys if key.secret == HERE and key.fingerprint in gone]
        secret.delete(deleted)
        secret.save()
        done = _publish(where, draft, secret, (new.fingerprint,), clock)
        return done._replace(
            resumed=bool(begun),
            replaced=tuple(key for key in done.part.keys if key.fingerprint in old_ones),
            deleted=frozenset(key.fingerprint for key in deleted),
        )


def read_listed(where: Where) -> tuple[Draft, bytes]:
    """Return the trust folder, and what is published of a key that it must list. Raises PolicyError, UsageError."""
    draft = read_draft(where.policy, where.fingerprint)
    old = draft.keys.get(where.fingerprint)
    if draft.policy.signer_of_key(where.fingerprint) is None or old is None:
        raise UsageError(
            f"{where.policy} lists no key {where.fingerprint}, or its file is not there",
            "sealwright keys status shows those that it lists; sealwright keys add lists another.",
        )
    return draft, old


def open_listed(where: Where, draft: Draft) -> contextlib.AbstractContextManager[Secret]:
    """Have the secret part of a listed key at hand, and know whom to ask where it is not. Raises as `open_secret`."""
    signer = draft.policy.signer_of_key(where.fingerprint)
    return open_secret(where.gpg, where.fingerprint, where.key_file, where.ask, signer.name if signer else "")


def _known(where: Where, secret: Secret, old: bytes, clock: Clock) -> tuple[PublicPart, PublicPart]:
    """What is published of a key, and that joined with what is here. A revoked one is not changed any more."""
    published = renew_public(where.gpg, where.fingerprint, None, old, clock())
    joined = renew_public(where.gpg, where.fingerprint, old, secret.public(), clock())
    if joined.primary.revocations:
        hint = "Make a new key: sealwright keys new."
        if not published.primary.revocations:
            hint = "keys/ does not say so yet: sealwright keys revoke, with the same reason, publishes it."
        raise UsageError(f"{where.fingerprint} is revoked", hint)
    return published, joined


def _expiring(part: PublicPart, until: datetime) -> tuple[list[Key], list[Key]]:
    """The primary key, and the signing subkeys, that expire earlier and were not revoked."""
    early = [
        key
        for key in part.keys
        if key.expires is not None and key.expires < until - _ENOUGH and not key.revocations and key.usable != "r"
    ]
    primary = [key for key in early if key.fingerprint == part.primary.fingerprint]
    return primary, [key for key in early if key not in primary and key.can_sign]


def _postpone(secret: Secret, primary: list[Key], subkeys: list[Key], until: datetime) -> None:
    when = f"{until:%Y%m%dT%H%M%S}"
    if primary:
        secret.keyring.set_expiry(secret.fingerprint, when, (), secret.passphrase)
    if subkeys:
        secret.keyring.set_expiry(secret.fingerprint, when, [key.fingerprint for key in subkeys], secret.passphrase)


def _publish(where: Where, draft: Draft, secret: Secret, parts: tuple[str, ...], clock: Clock) -> Changed:
    part = renew_public(where.gpg, where.fingerprint, draft.keys[where.fingerprint], secret.public(), clock())
    return Changed(parts, part, publish(where.policy, where.fingerprint, part.content))


def _signs_here(key: Key) -> bool:
    return key.can_sign and key.secret == HERE and key.usable not in UNUSABLE and key.fingerprint != key.primary
