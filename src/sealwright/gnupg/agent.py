"""The secret keys of a home, or of the user's own keyring: which there are, and what the agent knows of them.

Enters: where gpg is, and the folder of a private home, or None for the user's own. Leaves: `Key`s, and what the agent
said. No secret passes through here.
"""

import os
import subprocess
from pathlib import Path

from sealwright.errors import UndecidedError
from sealwright.gnupg.home import environment
from sealwright.gnupg.listing import Key, read_listing

_LIST = (
    "--no-options", "--batch", "--no-tty", "--with-colons", "--fixed-list-mode", "--with-keygrip",
    "--list-secret-keys",
)  # fmt: skip


def agent_environment(folder: Path | None) -> dict[str, str]:
    """The environment of a gpg that works with secret keys: the user's own says where their keyring is."""
    return environment() if folder else dict(os.environ) | {"LC_ALL": "C", "LANGUAGE": "C"}


def list_secret_keys(program: str, folder: Path | None, fingerprint: str = "") -> tuple[Key, ...]:
    """List the secret keys and subkeys, or those of one primary key. Raises UndecidedError."""
    command = [program, *(["--homedir", str(folder)] if folder else []), *_LIST]
    command += ["--", fingerprint] if fingerprint else []
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=agent_environment(folder),
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise UndecidedError(f"gpg could not list its secret keys: {type(error).__name__}") from error
    # A subkey or an e-mail address may also match; only the primary key with that very fingerprint is meant.
    return tuple(key for key in read_listing(done.stdout) if not fingerprint or key.primary == fingerprint)


def is_protected(folder: Path | None, keygrip: str) -> bool:
    """Ask the agent whether a key has a passphrase (KEYINFO, 7th field: C for clear, P for protected)."""
    for line in ask_agent(folder, f"KEYINFO {keygrip}"):
        fields = line.split()
        if fields[:3] == ["S", "KEYINFO", keygrip] and len(fields) > 7:
            # A key on a card (T) is unlocked by its own PIN prompt, never by us.
            return fields[3] == "D" and fields[7] != "C"
    return True


def forget(keys: tuple[Key, ...], folder: Path | None = None) -> None:
    """Tell the agent to forget the passphrases of these keys: one that it remembers makes a wrong one succeed."""
    for key in keys:
        ask_agent(folder, f"CLEAR_PASSPHRASE --mode=normal {key.keygrip}")


def delete_secret_key(folder: Path | None, keygrip: str) -> bool:
    """Delete one secret key for good, and tell whether it is gone."""
    ask_agent(folder, f"DELETE_KEY --force {keygrip}")
    return not any(line.startswith("S KEYINFO") for line in ask_agent(folder, f"KEYINFO {keygrip}"))


def ask_agent(folder: Path | None, command: str) -> list[str]:
    """Say one line to the agent and return its answer. Raises UndecidedError."""
    where = ["--homedir", str(folder)] if folder else []
    try:
        done = subprocess.run(
            ["gpg-connect-agent", *where, command, "/bye"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env=agent_environment(folder), check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise UndecidedError(
            f"gpg-agent cannot be asked: {type(error).__name__}", "It comes with GnuPG (Debian: gpg-agent)."
        ) from error
    return done.stdout.decode("utf-8", "replace").splitlines()
