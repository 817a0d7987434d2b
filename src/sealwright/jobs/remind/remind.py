"""The quarterly job: every deadline of a project, in one list.

Enters: where the policy, the registers and the log are, and the time. Leaves: a `Reminder`. Sends nothing, changes
nothing, and opens no connection. What cannot be read is an error, never an empty list.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import UsageError
from sealwright.files.reading import read_named
from sealwright.jobs.remind.trust import NOBODY, missing_revocations, of_key_register, of_layout, of_trusted_root
from sealwright.jobs.unraised import find_unraised
from sealwright.model.deadline import Deadline, Period, Reminder, add, build_reminder
from sealwright.model.token import MAX_REGISTER_BYTES, parse_register, token_deadlines

if TYPE_CHECKING:
    from sealwright.gnupg.listing import Key
    from sealwright.model.policy import Policy

_CHECKPOINT_EVERY = Period(0, 90)


class Places(NamedTuple):
    """Where deadlines stand. One that a person named must be there; `named` holds those. `log` is the audit log."""

    policy: Path
    tokens: Path
    audit: Path
    keys: Path
    layout: Path
    log: Path
    named: frozenset[Path] = frozenset()


def remind(places: Places, now: datetime, within: Period, gpg: str | None) -> Reminder:
    """Collect every deadline and say how it stands at `now` (UTC).

    Raises UsageError for a file that is wrong, or that was named and is not there, or if nothing of a project is there,
    and UndecidedError for one that cannot be read, or if there are OpenPGP keys and no gpg.
    """
    deadlines: list[Deadline] = []
    notes: list[str] = []
    sources, absent = [], []
    unasked = {places.audit}  # which only who ignores something has
    readers: list[tuple[Path, Callable[[Path], list[Deadline]]]] = [
        (places.policy, lambda path: _of_policy(path, places, now, gpg, notes, unasked)),
        (places.tokens, _of_tokens),
        (places.audit, _of_ignores),
        (places.keys, of_key_register),
        (places.layout, of_layout),
    ]
    if not places.named and not any(path.exists() for path, _ in readers):
        raise UsageError(  # a job in the wrong folder would be content for ever
            f"there is nothing to watch here: no {', '.join(str(path) for path, _ in readers)}",
            "Run it in the project's folder, or name its files: --policy FILE, --tokens FILE.",
        )
    checkpoint = places.log.with_name(places.log.name + ".checkpoint")
    if checkpoint.exists():
        readers.append((checkpoint, lambda path: _of_checkpoint(path, _checkpointing(places))))
    elif places.log.exists():
        notes.append(f"the audit log {places.log} was never signed: {_checkpointing(places)}")
    for path, read in readers:
        if path in places.named or path.exists():
            deadlines += read(path)
            sources.append(str(path))
        else:
            absent.append(str(path))
    reminder = build_reminder(deadlines, now, within, tuple(sources), tuple(absent), tuple(notes))
    return reminder._replace(unasked=frozenset(map(str, unasked)))


def _of_policy(
    path: Path, places: Places, now: datetime, gpg: str | None, notes: list[str], unasked: set[Path]
) -> list[Deadline]:
    """The policy's expiry, that of its trusted root, and of every key and subkey that is still of use.

    What should have a deadline and has none is added to `notes`, and a file that it does not ask for to `unasked`.
    """
    from sealwright.store.trust_folder import read_trust_folder

    trust = read_trust_folder(path, path / "no release")
    of_root, said = of_trusted_root(trust)
    notes += said
    notes += find_unraised(trust.policy, trust.content, trust.keys, places.log)
    if not trust.policy.require.layout:
        unasked.add(places.layout)
    policy, owners = trust.policy, ", ".join(signer.name for signer in trust.policy.signers)
    step = "review the policy, raise its version and its expires, and publish it"
    found = [Deadline("policy", policy.project, owners or NOBODY, policy.expires, step, str(path)), *of_root]
    retired = {key.fingerprint for key in policy.openpgp_keys() if key.until_version is not None}
    if set(trust.keys) - retired:
        listed = _list(trust.keys, policy, now, gpg)
        found += _of_keys(listed, retired, policy, path.parent)
        useless = retired | {key.primary for key in listed if key.revocations and key.fingerprint == key.primary}
        notes += missing_revocations(set(trust.keys) - useless, policy, places.keys)
    return found


def _list(keys: dict[str, bytes], policy: "Policy", now: datetime, gpg: str | None) -> "tuple[Key, ...]":
    from sealwright.gnupg.home import private_home
    from sealwright.verify.policy_keys import import_keys

    with private_home(gpg) as home:
        return tuple(import_keys(home, policy.openpgp_keys(), keys, now).values())


def _of_keys(keys: "tuple[Key, ...]", retired: set[str], policy: "Policy", folder: Path) -> list[Deadline]:
    """A key that was revoked has no deadline; nor has a subkey that was, or one that a later one replaces."""
    revoked = {key.fingerprint for key in keys if key.revocations}
    found = []
    for key in keys:
        if key.expires is None or key.fingerprint in revoked or key.primary in revoked | retired:
            continue
        primary = key.fingerprint == key.primary
        if not primary and not key.can_sign:
            continue
        if not primary and _replaced(key, keys, revoked):
            continue
        signer = policy.signer_of_key(key.primary)
        step = f"sealwright keys extend {key.primary}"
        source = str(folder / f"{key.primary}.asc")
        kind = "OpenPGP key" if primary else "OpenPGP subkey"
        found.append(Deadline(kind, key.fingerprint, signer.name if signer else NOBODY, key.expires, step, source))
    return found


def _replaced(key: "Key", keys: "tuple[Key, ...]", revoked: set[str]) -> bool:
    """Whether another signing subkey of the same owner lasts longer: the old one may then expire as it should."""
    others = [other for other in keys if other.primary == key.primary and other.fingerprint not in revoked]
    return any(
        other.fingerprint not in (key.fingerprint, key.primary)
        and other.can_sign
        and (other.expires is None or (key.expires is not None and other.expires > key.expires))
        for other in others
    )


def _of_tokens(path: Path) -> list[Deadline]:
    content = read_named(path, MAX_REGISTER_BYTES, "the register", "sealwright tokens add begins one.")
    return token_deadlines(parse_register(content, str(path)), str(path))


def _of_ignores(path: Path) -> list[Deadline]:
    """Each ignore of the audit, read by the reader that the audit has."""
    from sealwright.store.audit_register import read_ignores

    step = "look whether there is a release without it; if not, say why it is still ignored"
    return [
        Deadline("audit ignore", f"{ignore.id} {ignore.package}", ignore.owner, ignore.expires, step, str(path))
        for ignore in read_ignores(path, required=True)
    ]


def _checkpointing(places: Places) -> str:
    """The command that signs the log, with the key that the policy lists."""
    from sealwright.store.trust_folder import read_trust_folder

    there = places.policy.exists()
    trust = read_trust_folder(places.policy, places.policy / "no release") if there else None
    return f"sealwright log checkpoint --openpgp-key {trust.policy.key_to_name() if trust else 'FINGERPRINT'}"


def _of_checkpoint(path: Path, step: str) -> list[Deadline]:
    """The last checkpoint beside the log, by its own account: `sealwright log verify` judges it."""
    from sealwright.model.checkpoint import parse_checkpoint

    content = read_named(path, 256 * 1024, "the checkpoint")
    try:
        made = datetime.fromisoformat(parse_checkpoint(content.partition(b"\n")[0] + b"\n").time)
    except ValueError as error:
        raise UsageError(f"{path} is no checkpoint of an audit log", "sealwright log checkpoint makes one.") from error
    due = add(made, _CHECKPOINT_EVERY)
    return [Deadline("log checkpoint", path.name, NOBODY, due, step, str(path))]
