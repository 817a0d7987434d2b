"""Secrets in the system's keyring (Secret Service, macOS Keychain, Windows Credential Manager, or what is configured).

Enters: names. Leaves: a secret, or None. Never writes one to a file, a log or an exception.
"""

from sealwright.errors import UndecidedError

SERVICE = "sealwright"


def read_passphrase(fingerprint: str) -> str | None:
    """Return the passphrase of an OpenPGP key (service `sealwright`, user `openpgp:FINGERPRINT`), or None.

    A machine without a keyring has none. Raises UndecidedError if the keyring is there and fails.
    """
    import keyring
    from keyring.errors import InitError, KeyringError, NoKeyringError

    try:
        return keyring.get_password(SERVICE, f"openpgp:{fingerprint}")
    except (NoKeyringError, InitError):
        return None
    except KeyringError as error:
        raise UndecidedError(
            f"the system keyring does not answer ({type(error).__name__})",
            "Unlock it, or give the passphrase another way: --passphrase-fd N.",
        ) from None
