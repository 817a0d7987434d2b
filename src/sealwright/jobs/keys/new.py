"""A new key for a signer: made in a private home, backed up, and only then put into use and listed.

Enters: whose key it is, where its backup goes, and a passphrase. Leaves: a secret key in the user's keyring (or a
file), a revocation certificate and a backup, the public part and its fingerprint in the trust folder. The backup is
what an interrupted run is finished from: whatever comes after it can be done again.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import read_named, reason
from sealwright.gnupg.home import private_home, require_gpg
from sealwright.gnupg.keyring import Keyring
from sealwright.gnupg.listing import HERE
from sealwright.jobs.keys.public import renew_public
from sealwright.jobs.keys.secret import MAX_KEY_FILE_BYTES, Clock, refuse_in_repository, write_secret_file
from sealwright.model.deadline import Period, add
from sealwright.store.key_register import set_key_record
from sealwright.store.policy_editing import list_key
from sealwright.store.secrets import SERVICE, delete_secret, write_secret
from sealwright.store.trust_editing import Draft, Published, publish, read_draft

_SECRET, _REVOCATION = ".secret.asc", ".revocation.asc"
_BACKUP = re.compile(r"([0-9A-F]{40}|[0-9A-F]{64})\.secret\.asc")
_MAX_USER_ID = 200


class NewKey(NamedTuple):
    """What was asked for. `key_file`: where the secret goes instead of the user's keyring."""

    signer: str
    user_id: str
    backup: Path
    lifetime: Period
    policy: Path
    register: Path
    kept: str
    key_file: Path | None = None


class Made(NamedTuple):
    """A key that is in use now; `resumed` if an interrupted run was finished."""

    fingerprint: str
    expires: datetime
    resumed: bool
    stored: bool
    published: Published


AskNew = Callable[[], tuple[str, bool]]
"""Returns a new passphrase, and whether it is to be kept in the system's keyring, which is then known to be there."""


def check_new(wanted: NewKey) -> Draft:
    """Find everything that could be wrong before a key is made. Raises UsageError and PolicyError."""
    refuse_in_repository(wanted.backup, wanted.policy)
    if wanted.key_file is not None:
        refuse_in_repository(wanted.key_file, wanted.policy)
    name, user_id = wanted.signer, wanted.user_id
    if not name or not name.isprintable() or name != name.strip() or len(name) > _MAX_USER_ID:
        raise UsageError("--signer must be a printable name without space at its ends")
    if not user_id.isprintable() or user_id != user_id.strip() or not 5 <= len(user_id) <= _MAX_USER_ID:
        raise UsageError("--user-id must be a printable text, such as 'Release Manager <release@example.org>'")
    draft = read_draft(wanted.policy)
    list_key(draft.content, name, "F" * 40)  # what keeps it from being listed is to be known now
    return draft


def new_key(gpg: str | None, wanted: NewKey, ask: AskNew, clock: Clock) -> Made:
    """Make a key, or finish an interrupted run. Raises UsageError, PolicyError and UndecidedError."""
    program = require_gpg(gpg)
    check_new(wanted)
    fingerprint, stored = _backed_up(program, wanted), False
    resumed = fingerprint is not None
    if fingerprint is None:
        fingerprint, stored = _make(program, wanted, ask, clock)
    secret = read_named(wanted.backup / f"{fingerprint}{_SECRET}", MAX_KEY_FILE_BYTES, "the backup")
    with _holding(program, secret) as keyring:
        public = keyring.export_public(fingerprint)
    part = renew_public(program, fingerprint, None, public, clock())
    _install(program, wanted, fingerprint, secret)
    published = publish(
        wanted.policy, fingerprint, part.content, lambda text: list_key(text, wanted.signer, fingerprint)
    )
    record: dict[str, str | date] = {"owner": wanted.signer, "kept": wanted.kept, "created": clock().date()}
    set_key_record(wanted.register, fingerprint, record, {})
    expires = [key.expires for key in part.signing if key.expires is not None]
    return Made(fingerprint, max(expires), resumed, stored, published)


def _make(program: str, wanted: NewKey, ask: AskNew, clock: Clock) -> tuple[str, bool]:
    """Make the key, keep its passphrase, and write the backup: the revocation certificate first."""
    passphrase, keep = ask()
    with private_home(program) as home:
        keyring = Keyring(program, home.folder)
        fingerprint = keyring.make_key(wanted.user_id, passphrase)
        keyring.add_subkey(fingerprint, f"{add(clock(), wanted.lifetime):%Y%m%dT%H%M%S}", passphrase)
        secret = keyring.export_secret(fingerprint, passphrase)
        user = f"openpgp:{fingerprint}"
        try:
            if keep:
                write_secret(SERVICE, user, passphrase)
            certificate = (home.folder / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
            write_secret_file(wanted.backup / f"{fingerprint}{_REVOCATION}", certificate)
            write_secret_file(wanted.backup / f"{fingerprint}{_SECRET}", secret)
        except BaseException as error:
            if keep:
                delete_secret(SERVICE, user)  # a passphrase of no key would be forgotten there
            if isinstance(error, OSError):
                raise UndecidedError(f"the backup cannot be written to {wanted.backup}: {reason(error)}") from error
            raise
    return fingerprint, keep


def _backed_up(program: str, wanted: NewKey) -> str | None:
    """Return the key that an interrupted run has backed up for the same user ID, if there is one."""
    if not wanted.backup.is_dir():
        return None
    expected = wanted.user_id.replace("\\", "\\x5c").replace(":", "\\x3a")  # as gpg lists it
    for path in sorted(wanted.backup.iterdir()):
        name = _BACKUP.fullmatch(path.name)
        if name is None or not (wanted.backup / f"{name[1]}{_REVOCATION}").exists():
            continue
        with _holding(program, read_named(path, MAX_KEY_FILE_BYTES, "the backup")) as keyring:
            keys = keyring.secret_keys()
        if keys and {key.primary for key in keys} == {name[1]} and keys[0].user_ids == (expected,):
            return name[1]
    return None


@contextlib.contextmanager
def _holding(program: str, secret: bytes) -> Iterator[Keyring]:
    with private_home(program) as home:
        keyring = Keyring(program, home.folder)
        keyring.import_key(secret)
        yield keyring


def _install(program: str, wanted: NewKey, fingerprint: str, secret: bytes) -> None:
    """Put the secret key where it will be used, unless it is there."""
    if wanted.key_file is not None:
        if wanted.key_file.exists():
            there = read_named(wanted.key_file, MAX_KEY_FILE_BYTES, "the key file")
            with _holding(program, there) as keyring:
                found = {key.primary for key in keyring.secret_keys()}
            if found != {fingerprint}:
                raise UsageError(f"{wanted.key_file} is there already, and holds something else", "Name a new file.")
            return
        write_secret_file(wanted.key_file, secret)
        return
    keyring = Keyring(program)
    keyring.import_key(secret)
    if not any(key.secret == HERE and key.can_sign for key in keyring.secret_keys(fingerprint)):
        raise UndecidedError(
            f"gpg did not take {fingerprint} into your keyring",
            f"It is in the backup: gpg --import {wanted.backup / (fingerprint + _SECRET)}, then run this again.",
        )
