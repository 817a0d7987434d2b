"""The keys of the sandbox's services, and the signatures that its logs check.

Enters: bytes. Leaves: signatures, key ids, and "yes" or "no" to a signature. Keys are made here and never written.
"""

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.x509 import Certificate

    SignerKey = EllipticCurvePublicKey | Ed25519PublicKey

ECDSA, ED25519 = "PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519"
# https://github.com/sigstore/architecture-docs/blob/main/algorithm-registry.md, by curve and size of the key
_EC_DETAILS = {256: (ECDSA, "SHA256"), 384: ("PKIX_ECDSA_P384_SHA_384", "SHA384")}


class LogKey(NamedTuple):
    """A signing key; `spki` is its public half, as DER, `details` its PublicKeyDetails in protobuf-specs' words."""

    private: "EllipticCurvePrivateKey | Ed25519PrivateKey"
    spki: bytes
    details: str

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the public key: the id of a log of RFC 6962, 3.2."""
        return hashlib.sha256(self.spki).digest()

    def sign(self, content: bytes) -> bytes:
        """Sign: ECDSA with SHA-256 as DER, or Ed25519."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA as ECDSA_SCHEME
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256

        if isinstance(self.private, EllipticCurvePrivateKey):
            return self.private.sign(content, ECDSA_SCHEME(SHA256()))
        return self.private.sign(content)

    def public_pem(self) -> bytes:
        """The public key, as PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def make_ecdsa_key() -> LogKey:
    """Make a P-256 key."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    private = generate_private_key(SECP256R1())
    return LogKey(private, encode_spki(private.public_key()), ECDSA)


def make_ed25519_key() -> LogKey:
    """Make an Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    return LogKey(private, encode_spki(private.public_key()), ED25519)


def encode_spki(key: "PublicKeyTypes") -> bytes:
    """The SubjectPublicKeyInfo of a key, as DER. RFC 5280, 4.1."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def encode_pem(certificate: "Certificate") -> str:
    """A certificate, as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def encode_der(certificate: "Certificate") -> bytes:
    """A certificate, as DER."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def take_key(key: object) -> "SignerKey":
    """Return a signer's key. Raises ValueError for a kind of key that the sandbox does not take."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and key.key_size in _EC_DETAILS:
        return key
    raise ValueError("a key that is neither ECDSA on P-256 or P-384 nor Ed25519")


def key_details(key: "SignerKey") -> str:
    """The PublicKeyDetails of a signer's key."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    return _EC_DETAILS[key.key_size][0] if isinstance(key, EllipticCurvePublicKey) else ED25519


def is_signed(key: "SignerKey", signature: bytes, content: bytes) -> bool:
    """Check a signature over `content`, by the hash that belongs to the key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA as ECDSA_SCHEME
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, content, ECDSA_SCHEME(getattr(hashes, _EC_DETAILS[key.key_size][1])()))
        else:
            key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def is_signed_digest(key: "SignerKey", signature: bytes, digest: bytes) -> bool:
    """Check an ECDSA signature over content of which only the digest is known. Raises ValueError for other keys."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA as ECDSA_SCHEME
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("a key that does not sign digests")  # noqa: TRY004  the caller's one kind of refusal
    by_size = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}
    if len(digest) not in by_size:
        raise ValueError("a digest that is neither SHA-256, SHA-384 nor SHA-512")
    try:
        key.verify(signature, digest, ECDSA_SCHEME(Prehashed(by_size[len(digest)])))
    except InvalidSignature:
        return False
    return True
