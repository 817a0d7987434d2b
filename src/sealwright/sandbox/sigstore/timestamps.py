"""A timestamp authority: a digest in, a signed time out.

Enters: timestamp requests (RFC 3161, 2.4.1), as DER or JSON. Leaves: timestamp responses. Knows the digest
alone, never what it is of, and says the sandbox's time.
https://www.rfc-editor.org/rfc/rfc3161 and https://www.rfc-editor.org/rfc/rfc5652 for the CMS around it
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, parse_object
from sealwright.sandbox.sigstore import der
from sealwright.sandbox.sigstore.certificates import Authority
from sealwright.sandbox.sigstore.keys import encode_der, encode_pem

_POLICY = "1.3.6.1.4.1.57264.2"  # the one of Sigstore's own authority
_SHA256, _SHA384, _SHA512 = (f"2.16.840.1.101.3.4.2.{number}" for number in (1, 2, 3))
_DIGEST_SIZES = {_SHA256: 32, _SHA384: 48, _SHA512: 64}
_DIGEST_NAMES = {"sha256": _SHA256, "sha384": _SHA384, "sha512": _SHA512}
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_GRANTED, _REJECTION = 0, 2
_IMPLICIT_0 = 0xA0
_LATE = timedelta(hours=1)


class _Query(NamedTuple):
    """A request; `algorithm` and `nonce` as they came, because they go back unchanged."""

    algorithm: bytes
    digest: bytes
    nonce: bytes | None
    wants_certificates: bool


class Timestamper:
    """Signs what time it is."""

    def __init__(self, authority: Authority, now: Callable[[], datetime]) -> None:
        """Take the certificate that signs timestamps."""
        self._authority = authority
        self._now = now

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP."""
        return (
            Route("POST", "/api/v1/timestamp", Endpoint.TIMESTAMP, self._answer_query),
            Route("GET", "/api/v1/timestamp/certchain", Endpoint.TIMESTAMP_CHAIN, self._answer_chain),
        )

    def _answer_chain(self, request: Request) -> Response:
        chain = "".join(encode_pem(each) for each in self._authority.chain)
        return Response(200, chain.encode(), "application/pem-certificate-chain")

    def _answer_query(self, request: Request) -> Response:
        """Answer as RFC 3161, 2.4.2 says; what is no request is refused by HTTP, as Sigstore's authority does."""
        is_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            query = _read_json_query(request.body) if is_json else _read_query(request.body)
        except (ValueError, KeyError) as error:
            raise RefusalError(400, f"no timestamp request: {error}") from error
        if Lie.NO_TIMESTAMP in request.lies:
            return _reply(der.encode(der.SEQUENCE, der.encode_integer(_REJECTION)))
        if Lie.OTHER_TIMESTAMP in request.lies:
            query = query._replace(digest=secrets.token_bytes(len(query.digest)))
        time = self._now() + (_LATE if Lie.LATE_TIMESTAMP in request.lies else timedelta())
        token = self._sign(_encode_info(query, time), query.wants_certificates)
        return _reply(der.encode(der.SEQUENCE, der.encode_integer(_GRANTED)), token)

    def _sign(self, info: bytes, with_certificates: bool) -> bytes:
        """Wrap the information into a CMS SignedData of one signer. RFC 5652, 5.1 and 5.4."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        certificate = self._authority.certificate
        leaf = encode_der(certificate)
        identified = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode(der.OCTETS, _sha256(leaf))))
        attributes = [
            _attribute(_CONTENT_TYPE, der.encode_oid(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, der.encode(der.OCTETS, _sha256(info))),
            _attribute(_SIGNING_CERTIFICATE_V2, der.encode(der.SEQUENCE, identified)),  # RFC 5816
        ]
        # signed as a SET, sent under an implicit tag: RFC 5652, 5.4
        signature = self._authority.key.sign(der.encode_set_of(*attributes), ECDSA(SHA256()))
        signer = der.encode(
            der.SEQUENCE,
            der.encode_integer(1),
            der.encode(der.SEQUENCE, certificate.issuer.public_bytes(), der.encode_integer(certificate.serial_number)),
            _algorithm(_SHA256),
            der.encode_set_of(*attributes, tag=_IMPLICIT_0),
            _algorithm(_ECDSA_SHA256),
            der.encode(der.OCTETS, signature),
        )
        chain = [encode_der(each) for each in self._authority.chain] if with_certificates else []
        signed = der.encode(
            der.SEQUENCE,
            der.encode_integer(3),
            der.encode_set_of(_algorithm(_SHA256)),
            der.encode(der.SEQUENCE, der.encode_oid(_TST_INFO), der.encode(_IMPLICIT_0, der.encode(der.OCTETS, info))),
            der.encode_set_of(*chain, tag=_IMPLICIT_0) if chain else b"",
            der.encode_set_of(signer),
        )
        return der.encode(der.SEQUENCE, der.encode_oid(_SIGNED_DATA), der.encode(_IMPLICIT_0, signed))


def _read_query(content: bytes) -> _Query:
    """Read a TimeStampReq. Raises ValueError."""
    outer = der.read_elements(content)
    if len(outer) != 1 or outer[0].tag != der.SEQUENCE:
        raise ValueError("not one sequence")
    version, imprint, *options = der.read_elements(outer[0].content)
    if version != der.Element(der.INTEGER, b"\1") or imprint.tag != der.SEQUENCE:
        raise ValueError("not version 1")
    algorithm, digest = der.read_elements(imprint.content)
    name, *parameters = der.read_elements(algorithm.content)
    size = {der.read_elements(der.encode_oid(oid))[0]: size for oid, size in _DIGEST_SIZES.items()}.get(name)
    if parameters not in ([], [der.Element(der.NULL, b"")]) or digest.tag != der.OCTETS or len(digest.content) != size:
        raise ValueError("not a SHA-2 digest of the right size")
    by_tag = {option.tag: option.content for option in options}
    if not by_tag.keys() <= {der.OID, der.INTEGER, der.BOOLEAN}:
        raise ValueError("extensions, which this authority does not know")
    certificates = by_tag.get(der.BOOLEAN, b"\0") != b"\0"
    return _Query(der.encode(*algorithm), digest.content, by_tag.get(der.INTEGER), certificates)


def _read_json_query(content: bytes) -> _Query:
    """Read a request in JSON, which sigstore-js sends. Raises ValueError and KeyError.

    https://github.com/sigstore/timestamp-authority/blob/main/openapi.yaml (TimestampRequest)
    """
    asked = parse_object(content)
    oid, digest = (
        _DIGEST_NAMES[str(asked["hashAlgorithm"])],
        base64.b64decode(str(asked["artifactHash"]), validate=True),
    )
    nonce = asked.get("nonce", 0)
    if len(digest) != _DIGEST_SIZES[oid] or not isinstance(nonce, int) or nonce < 0:
        raise ValueError("not a SHA-2 digest of the right size, or no nonce")
    encoded = der.read_elements(der.encode_integer(nonce))[0].content if nonce else None
    return _Query(_algorithm(oid), digest, encoded, asked.get("certificates") is True)


def _encode_info(query: _Query, time: datetime) -> bytes:
    """Build the TSTInfo. RFC 3161, 2.4.2."""
    return der.encode(
        der.SEQUENCE,
        der.encode_integer(1),
        der.encode_oid(_POLICY),
        der.encode(der.SEQUENCE, query.algorithm, der.encode(der.OCTETS, query.digest)),
        der.encode_integer(secrets.randbits(128)),
        der.encode(der.TIME, f"{time.astimezone(UTC):%Y%m%d%H%M%SZ}".encode()),
        der.encode(der.SEQUENCE, der.encode_integer(1)),  # accurate to a second
        b"" if query.nonce is None else der.encode(der.INTEGER, query.nonce),
    )


def _reply(status: bytes, token: bytes = b"") -> Response:
    return Response(201, der.encode(der.SEQUENCE, status, token), "application/timestamp-reply")


def _attribute(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode_set_of(value))


def _algorithm(oid: str) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid))


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
