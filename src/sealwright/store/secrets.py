"""Secrets in the system's keyring (Secret Service, macOS Keychain, Windows Credential Manager, or what is configured).

Enters: names. Leaves: a secret, or None. Never writes one to a file, a log or an exception.
"""

from sealwright.errors import UndecidedError

SERVICE = "sealwright"
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
    import keyring
    from keyring.errors import InitError, KeyringError, NoKeyringError

    try:
        return keyring.get_password(service, user)
    except (NoKeyringError, InitError):
        return None
    except KeyringError as error:
        raise UndecidedError(f"the system keyring does not answer ({type(error).__name__})", hint) from None


def write_secret(service: str, user: str, secret: str) -> None:
    """Store a secret in the keyring, and read it back. Raises UndecidedError, never with the secret in it."""
    import keyring
    from keyring.errors import InitError, KeyringError, NoKeyringError

    try:
        keyring.set_password(service, user, secret)
        stored = keyring.get_password(service, user) == secret
    except (NoKeyringError, InitError):
        raise UndecidedError("this machine has no keyring that could keep a secret", _NO_KEYRING) from None
    except KeyringError as error:
        raise UndecidedError(f"the system keyring keeps nothing ({type(error).__name__})", _UNLOCK) from None
    if not stored:
        raise UndecidedError("the system keyring does not return what it was given", _NO_KEYRING)


def delete_secret(service: str, user: str) -> bool:
    """Remove a secret from the keyring, and tell whether one was there. Raises UndecidedError."""
    import keyring
    from keyring.errors import InitError, KeyringError, NoKeyringError

    try:
        if keyring.get_password(service, user) is None:
            return False
        keyring.delete_password(service, user)
    except (NoKeyringError, InitError):
        return False
    except KeyringError as error:
        raise UndecidedError(f"the system keyring lets nothing be removed ({type(error).__name__})", _UNLOCK) from None
    return True
