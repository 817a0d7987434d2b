"""A secret key at hand, for the commands that change it: in the user's own keyring, or in a file.

Enters: a fingerprint, perhaps a file, and what asks for the passphrase. Leaves: a `Secret`. One from a file is worked
on in a private home that is wiped; the file is only replaced as a whole, readable by its owner alone.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.gnupg.agent import delete_secret_key, forget, is_protected
from sealwright.gnupg.home import private_home, require_gpg
from sealwright.gnupg.keyring import Keyring
from sealwright.gnupg.listing import HERE, NOT_HERE, Key

MAX_KEY_FILE_BYTES = 1024 * 1024
Clock = Callable[[], datetime]
_AWAY = "Bring the paper backup to a machine of your own, and name it: --key-file FILE."
_ANOTHERS = (
    "It is the key of {}: if that is not you, they run this, and send you what sealwright keys export prints. "
    "If it is: bring the paper backup to a machine of your own, and name it: --key-file FILE."
)


@dataclass(frozen=True)
class Secret:
    """A primary key whose secret part is at hand. `file` is where it came from, or None for the user's keyring."""

    keyring: Keyring
    fingerprint: str
    file: Path | None
    _ask: Callable[[str], str]

    @property
    def keys(self) -> tuple[Key, ...]:
        """The primary key and its subkeys as the keyring lists their secret parts now."""
        return self.keyring.secret_keys(self.fingerprint)

    @cached_property
    def passphrase(self) -> str | None:
        """Asked for when it is first needed, and once; empty for a key without one, None for a card, which asks."""
        here = [key for key in self.keys if key.secret == HERE]
        if any(is_protected(self.keyring.folder, key.keygrip) for key in here):
            return self._ask(self.fingerprint)
        return "" if here else None

    def public(self) -> bytes:
        """The armored public key, with its own signatures alone."""
        return self.keyring.export_public(self.fingerprint)

    def learn(self, public: bytes | None) -> None:
        """Take over what the published key says and this one does not yet: a revocation must never be lost."""
        if public is not None:
            self.keyring.import_key(public)

    def save(self) -> None:
        """Put the secret key back into its file, if it came from one. Raises UndecidedError."""
        if self.file is not None:
            write_secret_file(self.file, self.keyring.export_secret(self.fingerprint, self.passphrase))

    def delete(self, subkeys: list[Key]) -> None:
        """Delete the secret parts of subkeys for good; never that of the primary key. Raises UndecidedError."""
        primary = next(key.keygrip for key in self.keys if key.fingerprint == self.fingerprint)
        for key in subkeys:
            if key.keygrip != primary and not delete_secret_key(self.keyring.folder, key.keygrip):
                raise UndecidedError(f"gpg could not delete the secret part of {key.fingerprint}")


@contextlib.contextmanager
def open_secret(
    gpg: str | None, fingerprint: str, file: Path | None, ask: Callable[[str], str], signer: str = ""
) -> Iterator[Secret]:
    """Have the secret part of a primary key at hand, which is `signer`'s by the policy.

    Raises UsageError if it is not there, and UndecidedError.
    """
    program = require_gpg(gpg)
    with contextlib.ExitStack() as closing:
        if file is None:
            keyring = Keyring(program)
        else:
            content = read_key_file(file)
            keyring = Keyring(program, closing.enter_context(private_home(program)).folder)
            keyring.import_key(content)
        keys = keyring.secret_keys(fingerprint)
        place = f"the file {file}" if file else "your keyring"
        if not keys:
            raise UsageError(
                f"{place} has no secret key {fingerprint}", _ANOTHERS.format(signer) if signer and not file else _AWAY
            )
        if keys[0].secret == NOT_HERE:
            raise UsageError(f"{place} has only subkeys of {fingerprint}, and its primary key is needed", _AWAY)
        if file is not None and {key.primary for key in keyring.secret_keys()} != {fingerprint}:
            raise UsageError(f"{place} holds more than one key", "Keep each key in a file of its own.")
        if file is None:
            forget(keys)
            closing.callback(lambda: forget(keyring.secret_keys(fingerprint)))  # also those that were added
        yield Secret(keyring, fingerprint, file, ask)


def read_key_file(path: Path) -> bytes:
    """Read what `--key-file` names. Raises UsageError and UndecidedError."""
    hint = "It is a backup (FINGERPRINT.secret.asc); without --key-file the key is looked for in your GnuPG keyring."
    return read_named(path, MAX_KEY_FILE_BYTES, "the key file", hint)


def write_secret_file(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, and the folder for it if need be. Raises UndecidedError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, content, 0o600)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error


def refuse_in_repository(path: Path, policy: Path) -> None:
    """Refuse to put a secret beside what is published: into the project, or into any other git repository."""
    try:
        place, keys = path.resolve(), policy.resolve().parent
    except (OSError, RuntimeError) as error:
        raise UndecidedError(f"{path} cannot be resolved: {error}") from error
    project = next((each for each in (keys, *keys.parents) if (each / ".git").exists()), keys.parent)
    inside = project if place.is_relative_to(project) else None
    inside = inside or next((each for each in (place, *place.parents) if (each / ".git").exists()), None)
    if inside:
        raise UsageError(
            f"{path} lies in {inside}, where a secret could be published by mistake",
            "Name a place outside of it, best on a medium that you can put away.",
        )
