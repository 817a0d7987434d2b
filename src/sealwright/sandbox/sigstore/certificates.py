"""The certificate authorities of the sandbox, and the certificates that they issue.

Enters: public keys, subjects, times. Leaves: X.509 certificates. Their private keys are made here, stay in memory and
are never written. Decides nothing about who may have a certificate: `fulcio.py` does.
Profile: https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sealwright.model.trusted_root import SANDBOX_ORGANIZATION
from sealwright.sandbox.sigstore import der
from sealwright.sandbox.sigstore.claims import Subject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.x509 import Certificate, CertificateBuilder, ExtensionType, Name

    from sealwright.sandbox.sigstore.keys import SignerKey

SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"
LIFETIME = timedelta(minutes=10)
_BEFORE, _AFTER = timedelta(days=1), timedelta(days=3650)


class Authority(NamedTuple):
    """A certificate that signs, with its key; `chain` goes from it up to the root."""

    key: "EllipticCurvePrivateKey"
    chain: "tuple[Certificate, ...]"

    @property
    def certificate(self) -> "Certificate":
        """The certificate that signs."""
        return self.chain[0]


def _make_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return generate_private_key(SECP256R1())


def make_root(name: str, now: datetime) -> Authority:
    """Make a root of the sandbox: its organization says whose it is."""
    key = _make_key()
    return Authority(key, (_certify_authority(name, key.public_key(), None, key, now, depth=1),))


def make_intermediate(root: Authority, name: str, now: datetime) -> Authority:
    """Make the authority that issues certificates for code signing."""
    key = _make_key()
    issued = _certify_authority(name, key.public_key(), root.certificate, root.key, now, depth=0)
    return Authority(key, (issued, *root.chain))


def make_timestamper(root: Authority, name: str, now: datetime) -> Authority:
    """Make a certificate that signs timestamps, and nothing else. RFC 3161, 2.3."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _make_key()
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = _begin(_name(name), root.certificate, key.public_key(), now - _BEFORE, now + _AFTER)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(), critical=True).add_extension(purpose, critical=True)
    return Authority(key, (_sign(builder, root.key), *root.chain))


def _certify_authority(
    name: str,
    key: "EllipticCurvePublicKey",
    issuer: "Certificate | None",
    issuer_key: "EllipticCurvePrivateKey",
    now: datetime,
    *,
    depth: int,
) -> "Certificate":
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    builder = _begin(_name(name), issuer, key, now - _BEFORE, now + _AFTER)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    if issuer is not None:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(purpose, critical=False)
    return _sign(builder, issuer_key)


def build_leaf(authority: Authority, key: "SignerKey", subject: Subject, begins: datetime) -> "CertificateBuilder":
    """Build what is to be certified of a signer for ten minutes, without an SCT."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    name = x509.UniformResourceIdentifier(subject.name) if subject.is_uri else x509.RFC822Name(subject.name)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    builder = _begin(x509.Name([]), authority.certificate, key, begins, begins + LIFETIME)
    builder = builder.add_extension(_usage(), critical=True).add_extension(purpose, critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=True)
    for oid, value in subject.raw.items():
        builder = builder.add_extension(_extension(oid, value.encode()), critical=False)
    for oid, value in subject.text.items():
        builder = builder.add_extension(_extension(oid, der.encode(der.UTF8, value.encode())), critical=False)
    return builder


def sign_leaf(authority: Authority, builder: "CertificateBuilder", sct_list: bytes = b"") -> "Certificate":
    """Certify, with a list of SCTs as TLS encodes it (RFC 6962, 3.3), or with none."""
    if sct_list:
        builder = builder.add_extension(_extension(SCT_LIST, der.encode(der.OCTETS, sct_list)), critical=False)
    return _sign(builder, authority.key)


def _begin(
    subject: "Name", issuer: "Certificate | None", key: "SignerKey", begins: datetime, ends: datetime
) -> "CertificateBuilder":
    from cryptography import x509

    own = x509.SubjectKeyIdentifier.from_public_key(key)
    above = own if issuer is None else x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    builder = builder.public_key(key)
    return builder.add_extension(own, critical=False).add_extension(
        x509.AuthorityKeyIdentifier(above.digest, None, None), critical=False
    )


def _sign(builder: "CertificateBuilder", key: "EllipticCurvePrivateKey") -> "Certificate":
    from cryptography.hazmat.primitives.hashes import SHA256

    return builder.sign(key, SHA256())


def _usage(*, signs_certificates: bool = False) -> "ExtensionType":
    from cryptography.x509 import KeyUsage

    return KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> "Name":
    from cryptography import x509

    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, SANDBOX_ORGANIZATION),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common),
        ]
    )


def _extension(oid: str, value: bytes) -> "ExtensionType":
    from cryptography.x509 import ObjectIdentifier, UnrecognizedExtension

    return UnrecognizedExtension(ObjectIdentifier(oid), value)
