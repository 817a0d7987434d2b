"""Detached OpenPGP signatures, made by GnuPG through python-gnupg.

Enters: a key (in the user's keyring, or an armored secret key) and files. Leaves: armor blocks. The passphrase
goes to gpg over a pipe; it is in no argument, environment or log. Judges nothing: what was made is verified by
sealwright.verify before anyone relies on it.
"""

import contextlib
import logging
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.errors import UndecidedError, UsageError
from sealwright.gnupg.agent import agent_environment, forget, is_protected, list_secret_keys
from sealwright.gnupg.home import Home, private_home, require_gpg
from sealwright.gnupg.listing import NOT_HERE, UNUSABLE, Key

if TYPE_CHECKING:
    import gnupg

MAX_KEY_FILE_BYTES = 1024 * 1024
# Ed25519, RSA and the NIST curves all take it, and it is stronger than what a policy asks for.
_SIGN_OPTIONS = ("--no-options", "--no-textmode", "--no-emit-version", "--no-comments")
_SECONDS = 300
NOT_SET = "In CI: is the secret set, and may this job read it?"

AskPassphrase = Callable[[str], str]
"""Given the fingerprint of the primary key, returns the passphrase or raises UsageError."""


@dataclass(frozen=True)
class OpenPGPSigner:
    """A secret key that is ready to sign. `fingerprint` is that of its primary key, upper-case hex."""

    fingerprint: str
    program: str
    _gpg: "gnupg.GPG"
    _ask: Callable[[], str | None]

    @cached_property
    def _passphrase(self) -> str | None:
        """Asked for when it is first needed, and once."""
        return self._ask()

    def sign(self, file: Path, digest: str = "SHA512") -> bytes:
        """Return one armor block: a detached binary signature (class 00) of the file's bytes.

        Raises UsageError for a wrong passphrase and UndecidedError for whatever else keeps gpg from signing.
        """
        try:
            # A stream of ours: python-gnupg closes one of its own after 10 ms, and gpg signs what it got until then.
            with file.open("rb") as stream:
                made = self._gpg.sign_file(
                    stream, detach=True, clearsign=False, passphrase=self._passphrase,
                    extra_args=[*_SIGN_OPTIONS, "--digest-algo", digest, "--local-user", self.fingerprint],
                )  # fmt: skip
        except (OSError, ValueError) as error:
            raise UndecidedError(f"gpg could not sign {file.name}: {type(error).__name__}") from None
        if made.status != "signature created" or not made.data.startswith(b"-----BEGIN PGP SIGNATURE-----"):
            raise self._refusal(str(made.stderr), file)
        return bytes(made.data)

    def _refusal(self, errors: str, file: Path) -> Exception:
        """What gpg wrote in the C locale tells a wrong passphrase from everything else."""
        if "Bad passphrase" in errors or "No passphrase given" in errors:
            hint = "Nothing was signed with it. Run this again with the right one; what was begun is finished then."
            return UsageError(f"the passphrase of the key {self.fingerprint} is wrong", hint)
        said = [line.removeprefix("gpg: ") for line in errors.splitlines() if line.startswith("gpg: ")]
        return UndecidedError(
            f"gpg could not sign {file.name} with {self.fingerprint}: {said[-1] if said else 'no reason given'}",
            f"Try it by hand: gpg --local-user {self.fingerprint} --detach-sign FILE",
        )


@contextlib.contextmanager
def signer_from_keyring(program: str | None, fingerprint: str, ask: AskPassphrase) -> Iterator[OpenPGPSigner]:
    """Sign with a key of the user's own keyring, through the user's own agent.

    The agent is told to forget the key's passphrase before the first signature and after the last: one that it
    remembers from before would make a wrong passphrase succeed. Raises UsageError if there is no such secret key.
    """
    program = require_gpg(program)
    keys = list_secret_keys(program, None, fingerprint)
    if not keys:
        raise UsageError(
            f"your keyring has no secret key {fingerprint}",
            "gpg --list-secret-keys shows the keys you have; in CI, pass one with --openpgp-key-file.",
        )
    with _quiet():
        signer = _ready(program, None, keys, ask)
        forget(keys)
        try:
            yield signer
        finally:
            forget(keys)


@contextlib.contextmanager
def signer_from_file(
    program: str | None, armored: bytes, ask: AskPassphrase, place: str = "the key file"
) -> Iterator[OpenPGPSigner]:
    """Sign with an armored secret key, in a private GNUPGHOME that is wiped afterwards with its agent ended.

    `place` is where it came from, in words. Raises UsageError if `armored` is not exactly one secret key.
    """
    with private_home(program) as home, _quiet():
        gpg = _open(home.program, home.folder)
        gpg.import_keys(armored, extra_args=["--no-options", "--no-auto-check-trustdb"])
        keys = list_secret_keys(home.program, home.folder)
        primaries = {key.primary for key in keys}
        if len(primaries) != 1:
            raise _unfit_key_file(armored, len(primaries), place)
        yield _ready(home.program, home, keys, ask)


def _unfit_key_file(content: bytes, keys: int, place: str) -> UsageError:
    """Say what is wrong with a key file that does not hold exactly one secret key."""
    hint = (
        "sealwright keys export FINGERPRINT --secret-subkey FILE writes such a file; docs/keys.md shows how CI uses it."
    )
    if not content.strip():
        return UsageError(f"{place} is empty, and must hold a secret key", NOT_SET)
    if keys:
        return UsageError(f"{place} holds {keys} secret keys, and must hold one", hint)
    if b"PUBLIC KEY BLOCK" in content:
        return UsageError(f"{place} holds a public key only; a secret key signs", hint)
    return UsageError(f"{place} holds no secret key that gpg can import", hint)


def _cannot_sign(primary: str, parts: list[Key]) -> UsageError:
    """Say why none of the parts that could sign, whose secrets are here, may do it now."""
    if parts and all(key.usable == "r" for key in parts):
        return UsageError(f"the key {primary} was revoked", "Sign with another key of the policy.")
    if parts and all(key.usable in ("e", "r") for key in parts):
        last = max((key.expires for key in parts if key.expires), default=None)
        return UsageError(
            f"the key {primary} has expired" + (f" on {last:%Y-%m-%d}" if last else ""),
            f"Let it last longer: sealwright keys extend {primary}",
        )
    return UsageError(
        f"the key {primary} has no part that may sign now", "Is its signing subkey here? gpg -K shows it."
    )


def _ready(program: str, home: Home | None, keys: tuple[Key, ...], ask: AskPassphrase) -> OpenPGPSigner:
    primary = keys[0].primary
    # A subkey whose secret part is not here (#), as after a rotation, is none that could sign.
    signing = [key for key in keys if key.can_sign and key.usable not in UNUSABLE and key.secret != NOT_HERE]
    if not signing:
        raise _cannot_sign(primary, [key for key in keys if key.can_sign and key.secret != NOT_HERE])
    folder = home.folder if home else None

    def ask_if_protected() -> str | None:
        return ask(primary) if any(is_protected(folder, key.keygrip) for key in signing) else None

    return OpenPGPSigner(primary, program, _open(program, folder), ask_if_protected)


def _open(program: str, folder: Path | None) -> "gnupg.GPG":
    import gnupg

    class BoundedGPG(gnupg.GPG):  # type: ignore[misc]  # python-gnupg has no types
        """python-gnupg waits for ever; this one ends a gpg that hangs."""

        def _open_subprocess(self, *args: Any, **kwargs: Any) -> Any:
            process = super()._open_subprocess(*args, **kwargs)
            threading.Thread(target=_end_late, args=(process,), daemon=True).start()
            return process

    try:
        return BoundedGPG(
            gpgbinary=program,
            gnupghome=str(folder) if folder else None,
            env=agent_environment(folder),
            encoding="utf-8",
        )
    except (OSError, ValueError) as error:
        raise UndecidedError(f"gpg cannot be run: {type(error).__name__}") from error


def _end_late(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence python-gnupg, which logs the keys it imports at DEBUG, and its arguments."""
    logger = logging.getLogger("gnupg")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
