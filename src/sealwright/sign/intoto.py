"""Signers of in-toto's metadata, as the securesystemslib library wants them.

Enters: an OpenPGP signer of sealwright.sign.openpgp, or a private key in PEM. Leaves: securesystemslib signers, which
in-toto's own classes sign with. The library's own OpenPGP signer knows neither passphrases nor private keyrings, so
gpg is run as for every other signature; the form of the result is in-toto's.
"""

import base64
from typing import TYPE_CHECKING, Any

from sealwright.errors import UndecidedError, UsageError
from sealwright.files.private import base_for, private_folder
from sealwright.sign.openpgp import OpenPGPSigner

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

MAX_KEY_FILE_BYTES = 64 * 1024
_HINT = "openssl genpkey -algorithm ed25519 -out step.pem makes one; docs/layout.md says where its public half goes."


def signer_by_openpgp(signer: OpenPGPSigner) -> "Signer":
    """Return a signer for in-toto with an OpenPGP key (RSA, DSA or Ed25519), which signs with SHA-256."""
    from in_toto.models._signer import GPGSignature
    from securesystemslib.signer import Key, SecretsHandler, Signer

    class InTotoOpenPGPSigner(Signer):
        """Signs through gpg, and gives the signature in-toto's form."""

        @property
        def public_key(self) -> Key:
            raise NotImplementedError

        @classmethod
        def from_priv_key_uri(
            cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
        ) -> "InTotoOpenPGPSigner":
            raise NotImplementedError

        def sign(self, payload: bytes) -> Any:
            with private_folder(base_for(len(payload)), "sealwright-step-") as folder:
                file = folder / "payload"
                file.write_bytes(payload)
                return GPGSignature(**_in_toto_form(signer.sign(file, "SHA256")))

    return InTotoOpenPGPSigner()


def _in_toto_form(armor: bytes) -> dict[str, str]:
    """Take an armor block of one signature, as gpg writes it, apart (in-toto specification 4.2)."""
    from securesystemslib._gpg.common import parse_signature_packet

    _, _, body = armor.decode("ascii").replace("\r", "").partition("\n\n")
    lines = [line for line in body.split("\n") if line and not line.startswith(("=", "-----"))]
    try:
        packet = base64.b64decode("".join(lines))
        form = dict(parse_signature_packet(packet))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError) as error:
        raise UsageError(
            f"in-toto cannot use a signature of this key ({error})",
            "Take an Ed25519 or RSA key; in-toto knows no other curve.",
        ) from error
    if not form.get("keyid"):
        raise UndecidedError("gpg made a signature without its key's fingerprint", "Use GnuPG 2.2 or later.")
    return {key: form[key] for key in ("keyid", "other_headers", "signature")}


def signer_by_key_file(pem: bytes, password: str | None) -> "Signer":
    """Return a signer for in-toto with a private key: PKCS #8 PEM, of RSA, Ed25519 or NIST P-256.

    Raises UsageError if it is none, or the password is missing or wrong; never with a part of either in its text.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        key = load_pem_private_key(pem, password.encode() if password is not None else None)
        return CryptoSigner(key)
    except TypeError as error:
        wrong = "has no password" if password is not None else "needs its password"
        raise UsageError(f"the key file {wrong}", "Passwords are given with --passphrase-fd N.") from error
    except Exception as error:  # what else a library says of a broken key file is not told: it could quote it
        raise UsageError(
            "the key file holds no private key that can be used, or its password is wrong", _HINT
        ) from error
