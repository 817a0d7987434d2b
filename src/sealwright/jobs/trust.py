"""Pinning: what a source offers as a project's trust, held against what is pinned and was seen; and the keeping of it.

Enters: a source, the user's data folder, the time. Leaves: an `Offer`, which a person has to look at, then a pin. Never
takes anything by itself: who confirms, and how, is the caller's to ask.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sealwright.errors import StaleError, TamperedError, UndecidedError, UsageError
from sealwright.files.reading import reason
from sealwright.gnupg.home import private_home
from sealwright.gnupg.listing import Key
from sealwright.jobs.verify.release import withdrawn_of
from sealwright.model.pin import Pin, PinKind
from sealwright.model.policy import Policy
from sealwright.model.policy_changes import Change, compare_policies
from sealwright.model.publisher import say
from sealwright.model.seen import Seen, add_withdrawn
from sealwright.model.withdrawal import WITHDRAWN, SignedWithdrawal, Withdrawal
from sealwright.store.first_use import publisher_of_pin
from sealwright.store.pins import pin_path, read_pin, trust_of, write_pin
from sealwright.store.seen import read_seen, remember
from sealwright.store.trust_folder import TrustFolder, trust_from_files
from sealwright.store.trust_source import TrustSource
from sealwright.store.trust_sums import SUMS
from sealwright.verify.policy_keys import import_keys
from sealwright.verify.withdrawn import check_withdrawn, read_statement, read_withdrawals

_MOST_REASON = 100  # characters


class Offer(NamedTuple):
    """A trust folder that could be pinned, and what that would change.

    `pinned` is what is pinned now, `changes` the differences to it. `same`: it is pinned already, byte by byte.
    `keys_read`: gpg has read every key file. `withdrawn` is what this folder, and the pinned one, call back.
    """

    trust: TrustFolder
    files: dict[str, bytes]
    source: str
    pinned: Pin | None
    changes: tuple[Change, ...] = ()
    same: bool = False
    keys_read: bool = False
    withdrawn: tuple[Withdrawal, ...] = ()


def look_at(source: TrustSource, data: Path, *, replace: bool, now: datetime, gpg: str | None) -> Offer:
    """Read what a source offers, and refuse what may not be pinned.

    Raises StaleError for a policy that has expired or is older than what is pinned or was seen, TamperedError for
    another one of the same version, PolicyError for a folder that is none, UsageError and UndecidedError.
    """
    files = source.read()
    trust = trust_from_files(Path(source.name), files)
    policy = trust.policy
    if policy.expires <= now:
        raise StaleError(
            f"the policy of {policy.project} at {source.name} expired on {policy.expires:%Y-%m-%d}",
            "Get the project's current one.",
        )
    _refuse_place(source.name, trust)
    withdrawn_of(trust)
    keys_read = _read_keys(trust, now, gpg)
    pinned = read_pin(data, policy.project)
    _refuse_older(trust, data)
    withdrawn = _called_back(trust, now, gpg)
    files = {name: content for name, content in files.items() if name != SUMS}
    offer = Offer(trust, files, source.name, pinned, keys_read=keys_read, withdrawn=withdrawn)
    if pinned is None:
        return offer
    if pinned.fingerprint == trust.fingerprint:
        return offer._replace(same=True)
    if pinned.kind is not PinKind.POLICY:  # any policy is stronger, so nothing has to be replaced on purpose
        return offer._replace(changes=_upgrade(pinned, policy))
    if not replace:
        raise UsageError(
            f"{policy.project} is pinned already, with the fingerprint {pinned.fingerprint}",
            "Add --replace to put this policy in its place, if the project has a new one.",
        )
    old = trust_of(data, pinned)
    withdrawn = (*_called_back(old, now, gpg), *withdrawn)
    return offer._replace(changes=_changes(old, trust, now, gpg), withdrawn=withdrawn)


def _called_back(trust: TrustFolder, now: datetime, gpg: str | None) -> tuple[Withdrawal, ...]:
    """What the signers of a policy that has not expired call back beside it, as far as gpg can tell."""
    content = trust.others.get(WITHDRAWN)
    if not content or trust.policy.expires <= now:
        return ()
    from sealwright.jobs.withdraw import judge_of

    return check_withdrawn([(trust.path.name, content)], judge_of(trust, now, gpg), (), None).found


def accept(offer: Offer, data: Path, now: datetime, *, pinned: Callable[[], None] = lambda: None) -> bool:
    """Pin what was looked at and confirmed, and remember what it calls back: a later folder may not say it any more.

    What was remembered for that policy alone, before it was pinned, counts for all from now on. `pinned` is called
    in between: the pin stands, whatever becomes of memory.

    False if another process pinned the same. Raises as `write_pin` does, and UndecidedError if memory cannot be
    written: to accept the same again mends that.
    """
    project, fingerprint = offer.trust.policy.project, offer.trust.fingerprint
    pin = Pin(project, PinKind.POLICY, now.replace(microsecond=0), offer.source, fingerprint, offer.files)
    if not write_pin(data, pin, offer.pinned):
        return False
    pinned()
    remember_withdrawn(offer, data)
    return True


def remember_withdrawn(offer: Offer, data: Path) -> None:
    """Remember what an offer that is pinned calls back. Raises UndecidedError."""
    project, substance = offer.trust.policy.project, offer.trust.substance

    def learn(seen: Seen) -> Seen:
        return add_withdrawn(seen, offer.withdrawn, substance)

    try:
        remember(data, project, read_seen(data, project), learn)
    except OSError as error:
        raise UndecidedError(
            f"{project} is pinned, and what it calls back is not remembered: {data}: {reason(error)}",
            "Mend that folder, and pin the same again.",
        ) from error


def refuse_other_fingerprint(offer: Offer, expected: str) -> None:
    """Raise TamperedError if a trust folder does not have the fingerprint that somebody got over another channel."""
    stated = expected.replace(" ", "").replace(":", "").lower()
    if len(stated) != 64 or not all(c in "0123456789abcdef" for c in stated):
        raise UsageError(f"{expected[:100]!r} is no fingerprint of a trust folder", "It has 64 hex digits.")
    if stated != offer.trust.fingerprint:
        raise TamperedError(
            f"the trust folder has another fingerprint: {offer.trust.fingerprint}, not {stated}",
            "It is not the folder that the fingerprint was made of. Nothing was pinned.",
        )


def _refuse_place(name: str, trust: TrustFolder) -> None:
    """What is to be verified must not say whom to trust, also where it lies on the web."""
    places = trust.policy.places
    for place in (places.artifacts, places.evidence):
        if "://" in place and _below(name, place):
            raise UsageError(
                f"{name} lies where the releases of {trust.policy.project} lie, {place}",
                "Who controls that place would control both: get the trust folder from another one.",
            )


def _below(url: str, place: str) -> bool:
    here, there = urlsplit(url), urlsplit(place)
    same = (here.hostname, here.port) == (there.hostname, there.port)
    return same and (here.path.rstrip("/") + "/").startswith(there.path.rstrip("/") + "/")


def _read_keys(trust: TrustFolder, now: datetime, gpg: str | None) -> bool:
    """Have gpg read every key file, which must hold the key that it is named after, and no other."""
    if gpg is None or not trust.policy.openpgp_keys():
        return gpg is not None
    with private_home(gpg) as home:
        import_keys(home, trust.policy.openpgp_keys(), trust.keys, now)
    return True


def _refuse_older(trust: TrustFolder, data: Path) -> None:
    """A policy that a release has passed by is never followed by an older one, whatever was unpinned meanwhile."""
    project, version = trust.policy.project, trust.policy.version
    seen = read_seen(data, project)
    if version < seen.policy:
        raise _older(project, version, seen.policy, "was seen before")
    if version == seen.policy and trust.substance != seen.substance:
        raise _another(project, version, "was seen before")


def _upgrade(pinned: Pin, policy: Policy) -> tuple[Change, ...]:
    """Say that a policy takes the place of a first use, and whether it lists the publisher that was accepted then."""
    first = publisher_of_pin(pinned)
    listed = any(
        identity.identity.text.partition("@")[0] == first.identity and identity.oidc_issuer == first.issuer
        for identity in policy.sigstore_identities()
    )
    who = f"the publisher that was accepted then, {say(first)}, is {'one' if listed else 'none'} of its signers"
    return Change(who, weaker=not listed), Change("the project's own policy takes the place of a first use")


def _changes(old: TrustFolder, trust: TrustFolder, now: datetime, gpg: str | None) -> tuple[Change, ...]:
    """Say what is new in a policy of a higher version, or in the same one if only what judges nobody has changed."""
    project = trust.policy.project
    if trust.policy.version < old.policy.version:
        raise _older(project, trust.policy.version, old.policy.version, "is pinned")
    if trust.policy.version == old.policy.version and trust.substance != old.substance:
        raise _another(project, trust.policy.version, "is pinned")
    changes = list(compare_policies(old.policy, trust.policy))
    kept = old.keys.keys() & trust.keys.keys()
    changes += [Change(f"key file changed: {f}.asc") for f in sorted(kept) if old.keys[f] != trust.keys[f]]
    changes += _revived(old, trust, now, gpg)
    for name in sorted(old.others.keys() | trust.others.keys()):
        before, after = old.others.get(name), trust.others.get(name)
        if before != after:
            verb = "added" if before is None else "removed" if after is None else "changed"
            weaker = name.endswith(".json") and (name != WITHDRAWN or after is None)
            changes.append(Change(f"{name} {verb}", weaker))
    changes += _gone(old.others.get(WITHDRAWN, b""), trust.others.get(WITHDRAWN, b""))
    return tuple(sorted(changes, key=lambda change: not change.weaker))


def _revived(old: TrustFolder, new: TrustFolder, now: datetime, gpg: str | None) -> list[Change]:
    """Say which keys a new folder no longer holds to be revoked, or for a gentler reason, as far as gpg can tell."""
    listed = tuple(key for key in old.policy.openpgp_keys() if new.keys.get(key.fingerprint) is not None)
    changed = tuple(key for key in listed if old.keys[key.fingerprint] != new.keys[key.fingerprint])
    if gpg is None or not changed:
        return []
    with private_home(gpg) as before, private_home(gpg) as after:
        was, now_is = import_keys(before, changed, old.keys, now), import_keys(after, changed, new.keys, now)
    gone = [f for f, key in was.items() if key.revocations and f in now_is and _lifted(key, now_is[f])]
    return [Change(f"the revocation of {fingerprint} is gone", weaker=True) for fingerprint in gone]


def _lifted(before: Key, after: Key) -> bool:
    return not after.revocations or (after.gently_revoked and not before.gently_revoked)


def _gone(before: bytes, after: bytes) -> list[Change]:
    """Name each withdrawal that a new withdrawn.json leaves out, or leaves without a signature that it had."""
    kept: dict[str, set[str]] = {}
    for entry in _entries(after):
        kept.setdefault(entry.statement, set()).update((*entry.openpgp, *entry.sigstore))
    changes = []
    for entry in _entries(before):
        if entry.statement in kept and kept[entry.statement] >= {*entry.openpgp, *entry.sigstore}:
            continue
        try:
            what = read_statement(entry.statement)
        except ValueError:
            continue  # it called nothing back
        how = "is no longer signed as it was" if entry.statement in kept else "is gone"
        changes.append(Change(f"withdrawal of {what.version} {how}: {what.reason[:_MOST_REASON]}", weaker=True))
    return changes


def _entries(content: bytes) -> tuple[SignedWithdrawal, ...]:
    try:
        return read_withdrawals(content) if content else ()
    except ValueError:
        return ()


def _older(project: str, version: int, newer: int, how: str) -> StaleError:
    return StaleError(
        f"the policy of {project} has version {version}, and version {newer} {how}",
        "Somebody may have brought an old policy back: get the current one. Nothing was pinned.",
    )


def _another(project: str, version: int, how: str) -> TamperedError:
    return TamperedError(
        f"another policy of {project} that calls itself version {version}, too, {how}",
        "One of the two is not the project's, or it forgot to raise the version: ask it. Nothing was pinned.",
    )


def describe_pin(data: Path, project: str) -> tuple[Pin, TrustFolder]:
    """Return a pin and what it trusts. Raises UsageError if there is none."""
    pin = read_pin(data, project)
    if pin is None:
        raise UsageError(
            f"{project} is not pinned", f"sealwright trust list shows what is. ({pin_path(data, project)})"
        )
    return pin, trust_of(data, pin)
