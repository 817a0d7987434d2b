"""Work with secret keys: gpg run with an agent, in a private home or in the user's own keyring, bounded in time.

Enters: what to do, and a passphrase, which goes to gpg over a pipe of its own and is in no argument, environment or
log. Leaves: what gpg wrote. Its exit status is not believed: whoever changes a key lists it afterwards and compares.
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.files.private import private_folder
from sealwright.gnupg.agent import agent_environment, list_secret_keys
from sealwright.gnupg.home import GNUPG_HINT
from sealwright.gnupg.listing import LIST_KEYS, Key, Revocation, read_listing
from sealwright.gnupg.packets import without_revocations

_SECONDS = 300
_PLAIN = ("--armor", "--no-emit-version", "--no-comments")
# The numbers in gpg's menu; they are those of RFC 9580, 5.2.3.31, but for the order of two of them.
_MENU = {Revocation.NO_REASON: "0", Revocation.COMPROMISED: "1", Revocation.SUPERSEDED: "2", Revocation.RETIRED: "3"}


class Keyring(NamedTuple):
    """A gpg with secret keys: `folder` is that of a private home, or None for the user's own keyring."""

    program: str
    folder: Path | None = None

    def run(
        self, arguments: Sequence[str], *, given: bytes = b"", passphrase: str | None = None, dialogue: bool = False
    ) -> tuple[bytes, str]:
        """Run gpg and return its standard output, and what it said (in the C locale).

        `passphrase`: empty for keys that have none; None leaves it to the user's agent (a card, say). `dialogue`:
        `given` answers gpg's questions, one a line. Raises UndecidedError if it cannot be run or does not end.
        """
        command = [self.program, *(["--homedir", str(self.folder)] if self.folder else []), "--no-options", "--no-tty"]
        command += ["--yes", "--expert", "--command-fd", "0"] if dialogue else ["--yes", "--batch"]
        with contextlib.ExitStack() as closing:
            pipes = []
            if passphrase is not None:
                pipes = [_pipe_with(passphrase.encode() + b"\n")]
                closing.callback(os.close, pipes[0])
                command += ["--pinentry-mode", "loopback", "--passphrase-fd", str(pipes[0])]
            try:
                done = subprocess.run(
                    [*command, *arguments], input=given, capture_output=True, timeout=_SECONDS, pass_fds=pipes,
                    env=agent_environment(self.folder), check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise UndecidedError(f"gpg did not finish within {_SECONDS} seconds") from None
            except OSError as error:
                raise UndecidedError(f"gpg cannot be run: {error.strerror}", GNUPG_HINT) from error
        return done.stdout, done.stderr.decode("utf-8", "replace")

    def public_keys(self, fingerprint: str) -> tuple[Key, ...]:
        """List a primary key and its subkeys, with what their signatures say."""
        output, _ = self.run([*LIST_KEYS[1:], "--", fingerprint])
        return tuple(key for key in read_listing(output) if key.primary == fingerprint)

    def secret_keys(self, fingerprint: str = "") -> tuple[Key, ...]:
        """List the secret parts of a primary key and its subkeys."""
        return list_secret_keys(self.program, self.folder, fingerprint)

    def import_key(self, content: bytes) -> None:
        """Import whatever gpg can read of it."""
        self.run(["--import"], given=content)

    def export_public(self, fingerprint: str) -> bytes:
        """Return the armored public key as it is here, also with subkeys that have expired, and others' signatures."""
        return self.run([*_PLAIN, "--export", fingerprint])[0]

    def export_secret(self, which: str, passphrase: str | None, *, subkey: bool = False) -> bytes:
        """Return the armored secret key (or, by its fingerprint, one subkey of it), protected by its passphrase."""
        how = ["--export-secret-subkeys", f"{which}!"] if subkey else ["--export-secret-keys", which]
        output, said = self.run([*_PLAIN, *how], passphrase=passphrase)
        if b"PRIVATE KEY BLOCK" not in output:
            raise refusal(f"the secret key {which} could not be exported", said)
        return output

    def make_key(self, user_id: str, passphrase: str) -> str:
        """Make an Ed25519 primary key that only certifies and does not expire, and return its fingerprint."""
        before = {key.primary for key in self.secret_keys()}
        arguments = ["--utf8-strings", "--quick-generate-key", "--", user_id, "ed25519", "cert", "never"]
        _, said = self.run(arguments, passphrase=passphrase)
        made = {key.primary for key in self.secret_keys()} - before
        if len(made) != 1:
            raise refusal("gpg could not make the key", said)
        return made.pop()

    def add_subkey(self, fingerprint: str, expires: str, passphrase: str | None) -> Key:
        """Add an Ed25519 signing subkey that expires at a time as gpg writes it, and return it."""
        before = {key.fingerprint for key in self.secret_keys(fingerprint)}
        _, said = self.run(["--quick-add-key", fingerprint, "ed25519", "sign", expires], passphrase=passphrase)
        made = [key for key in self.secret_keys(fingerprint) if key.fingerprint not in before]
        if len(made) != 1 or not made[0].can_sign:
            raise refusal(f"gpg could not add a subkey to {fingerprint}", said)
        return made[0]

    def set_expiry(self, fingerprint: str, expires: str, subkeys: Sequence[str], passphrase: str | None) -> None:
        """Let these subkeys, or without any the primary key, expire at that time."""
        _, said = self.run(["--quick-set-expire", fingerprint, expires, *subkeys], passphrase=passphrase)
        changed = {key.fingerprint: key.expires for key in self.public_keys(fingerprint)}
        if any(_write(changed.get(each)) != expires for each in (subkeys or (fingerprint,))):
            raise refusal(f"gpg could not change when {fingerprint} expires", said)

    def revoke(self, fingerprint: str, why: Revocation, passphrase: str | None) -> None:
        """Revoke a primary key, with all that is under it."""
        answers = f"y\n{_MENU[why]}\n\ny\n".encode()
        certificate, said = self.run(
            ["--armor", "--gen-revoke", fingerprint], given=answers, passphrase=passphrase, dialogue=True
        )
        self.import_key(certificate)
        self._require_revoked(fingerprint, fingerprint, why, said)

    def revoke_subkey(self, fingerprint: str, subkey: str, why: Revocation, passphrase: str | None) -> None:
        """Revoke one subkey alone, also one that is revoked for another reason, or whose primary key is."""
        answers = f"key {subkey}\nrevkey\ny\n{_MENU[why]}\n\ny\nsave\n".encode()
        revoked = any(key.revocations for key in self.public_keys(fingerprint))
        with private_folder(Path(tempfile.gettempdir()), "sealwright-keyring-") as folder:
            apart: list[str] = []
            if revoked:  # gpg revokes a subkey once, and none of a revoked key: let it see the key as it was before
                time.sleep(1)  # of two revocations in one second, gpg keeps the first
                apart = ["--no-default-keyring", "--keyring", str(folder / "apart.kbx")]
                whole, _ = self.run([*_PLAIN[1:], "--export", fingerprint])
                self.run([*apart, "--import"], given=without_revocations(whole))
            _, said = self.run([*apart, "--edit-key", fingerprint], given=answers, passphrase=passphrase, dialogue=True)
            if apart:
                self.import_key(self.run([*apart, *_PLAIN, "--export", fingerprint])[0])
        self._require_revoked(fingerprint, subkey, why, said)

    def _require_revoked(self, fingerprint: str, which: str, why: Revocation, said: str) -> None:
        for key in self.public_keys(fingerprint):
            if key.fingerprint == which and why in key.revocations:
                return
        raise refusal(f"gpg could not revoke {which}", said)


def _write(moment: object) -> str:
    return moment.strftime("%Y%m%dT%H%M%S") if hasattr(moment, "strftime") else ""


def refusal(what: str, said: str) -> SealwrightError:
    """What gpg wrote in the C locale tells a wrong passphrase from everything else."""
    if "Bad passphrase" in said or "No passphrase given" in said:
        return UsageError(f"{what}: the passphrase is wrong", "Nothing was changed. Run this again with the right one.")
    lines = [line.removeprefix("gpg: ") for line in said.splitlines() if line.startswith("gpg: ")]
    return UndecidedError(f"{what}: {lines[-1] if lines else 'no reason given'}")


def _pipe_with(content: bytes) -> int:
    """A pipe that holds a few bytes; its reading end."""
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
    finally:
        os.close(writing)
    return reading
