"""Secrets in the system's keyring (Secret Service, macOS Keychain, Windows Credential Manager, or what is configured).

Enters: names. Leaves: a secret, or None. Never writes one to a file, a log or an exception.
"""

import contextlib
from typing import TYPE_CHECKING, Any

from sealwright.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = "sealwright"
_PROBE = "probe"
_UNLOCK = "Unlock it and run this again."
_NO_KEYRING = (
    "Three ways: a desktop's keyring (Debian: gnome-keyring, in a D-Bus session); another back end "
    "(keyring --list-backends; PYTHON_KEYRING_BACKEND); or keep the secret with your CI and register it as "
    "github-secret:OWNER/REPO/NAME or env:NAME."
)


def read_passphrase(fingerprint: str) -> str | None:
    """Return the passphrase of an OpenPGP key (service `sealwright`, user `openpgp:FINGERPRINT`), or None.

    A machine without a keyring has none. Raises UndecidedError if the keyring is there and fails.
    """
    return read_secret(
        SERVICE, f"openpgp:{fingerprint}", "Unlock it, or give the passphrase another way: --passphrase-fd N."
    )


def read_secret(service: str, user: str, hint: str = _UNLOCK) -> str | None:
    """Return what the keyring holds for a service and user, or None; a machine without a keyring has none.

    Raises UndecidedError if the keyring is there and fails.
    """
    with _speaking("does not answer", hint) as keyring:
        found: object = keyring.get_password(service, user) if keyring else None
    if found is not None and not isinstance(found, str):
        raise UndecidedError("the system keyring answers with what is no text", hint)
    return found or None


def require_keyring(hint: str = _NO_KEYRING) -> None:
    """Raise UndecidedError, with that hint, on a machine that keeps no secret: to be known before one is asked for."""
    write_secret(SERVICE, _PROBE, _PROBE, hint)
    delete_secret(SERVICE, _PROBE)


def write_secret(service: str, user: str, secret: str, hint: str = _NO_KEYRING) -> None:
    """Store a secret in the keyring, and read it back. Raises UndecidedError, never with the secret in it."""
    stored = None
    with _speaking("keeps nothing", _UNLOCK) as keyring:
        if keyring is not None:
            keyring.set_password(service, user, secret)
            stored = keyring.get_password(service, user)
    if keyring is None or stored is None:
        raise UndecidedError("this machine has no keyring that could keep a secret", hint)
    if stored != secret:
        raise UndecidedError("the system keyring does not return what it was given", hint)


def delete_secret(service: str, user: str) -> bool:
    """Remove a secret from the keyring, and tell whether one was there. Raises UndecidedError."""
    with _speaking("lets nothing be removed", _UNLOCK) as keyring:
        if keyring is None or keyring.get_password(service, user) is None:
            return False
        keyring.delete_password(service, user)
        gone = keyring.get_password(service, user) is None
    if not gone:
        raise UndecidedError("the system keyring still holds what was removed", _UNLOCK)
    return True


@contextlib.contextmanager
def _speaking(what: str, hint: str) -> "Iterator[Any]":
    """Give the keyring, or None on a machine without one; whatever a back end raises is said without its words."""
    try:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
        there = not isinstance(backend, (fail.Keyring, null.Keyring))
        yield keyring if there else None
    except UndecidedError:
        raise
    except Exception as error:  # noqa: BLE001  a back end raises anything, and its words may hold the secret
        raise UndecidedError(f"the system keyring {what} ({type(error).__name__})", hint) from None
