"""Fulcio: a token and a proof of possession in, a certificate of ten minutes out.

Enters: requests of its REST API, version 2. Leaves: certificate chains. Certifies nothing without a token that the
sandbox's issuer has signed, for an issuer that it answers for, and never for longer than ten minutes.
https://github.com/sigstore/fulcio/blob/main/fulcio.proto
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, answer_json, parse_object
from sealwright.sandbox.sigstore.certificates import Authority, build_leaf, sign_leaf
from sealwright.sandbox.sigstore.claims import AUDIENCE, ReadSubject, Subject, read_email_subject
from sealwright.sandbox.sigstore.ct_log import CtLog
from sealwright.sandbox.sigstore.keys import encode_pem, is_signed, take_key
from sealwright.sandbox.sigstore.oidc import Issuer

if TYPE_CHECKING:
    from sealwright.sandbox.sigstore.keys import SignerKey

_TOKEN_REFUSED = "There was an error processing the identity token"  # noqa: S105  Fulcio's own words
_POSSESSION_REFUSED = "The signature supplied in the request could not be verified"
_EXPIRED, _FUTURE = timedelta(minutes=-20), timedelta(hours=1)


class Fulcio:
    """Certifies for those issuers that it is configured for: by URL, how what they say becomes a certificate."""

    def __init__(
        self,
        authority: Authority,
        ct_log: CtLog,
        issuer: Issuer,
        now: Callable[[], datetime],
        issuers: Mapping[str, ReadSubject],
    ) -> None:
        """Take the intermediate authority, and the issuer whose key signs all tokens."""
        self._authority = authority
        self._ct_log = ct_log
        self._issuer = issuer
        self._now = now
        self._issuers = issuers

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP."""
        return (
            Route("POST", "/api/v2/signingCert", Endpoint.CERTIFICATE, self._answer_certificate),
            Route("GET", "/api/v2/trustBundle", Endpoint.TRUST_BUNDLE, self._answer_trust_bundle),
        )

    def _answer_trust_bundle(self, request: Request) -> Response:
        return answer_json({"chains": [{"certificates": [encode_pem(each) for each in self._authority.chain]}]})

    def _answer_certificate(self, request: Request) -> Response:
        content = parse_object(request.body)
        claims = self._check_token(_read_token(request, content))
        subject = self._read_subject(claims)
        possessor = str(claims["email" if self._issuers[claims["iss"]] is read_email_subject else "sub"])
        key = _check_possession(content, possessor)
        certificate = self._certify(key, subject, request.lies)
        chain = [certificate, *(encode_pem(each) for each in self._authority.chain)]
        return answer_json({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})

    def _check_token(self, token: str) -> dict[str, Any]:
        """Check a token's signature, issuer, audience and times. OpenID Connect Core 1.0, 3.1.3.7."""
        import jwt

        try:
            claims = self._issuer.verify(token)
        except jwt.InvalidTokenError as error:
            raise RefusalError(401, f"{_TOKEN_REFUSED}: bad signature or format") from error
        now = self._now().timestamp()
        audience = claims.get("aud")
        if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise RefusalError(401, f"{_TOKEN_REFUSED}: not for {AUDIENCE}")
        if claims.get("iss") not in self._issuers:
            raise RefusalError(400, f"{_TOKEN_REFUSED}: unknown issuer")
        if not float(claims["exp"]) > now or float(claims.get("nbf", 0)) > now + 1:
            raise RefusalError(401, f"{_TOKEN_REFUSED}: expired, or not valid yet")
        return claims

    def _read_subject(self, claims: Mapping[str, Any]) -> Subject:
        try:
            return self._issuers[claims["iss"]](claims)
        except ValueError as error:
            raise RefusalError(400, f"{_TOKEN_REFUSED}: {error}") from error

    def _certify(self, key: "SignerKey", subject: Subject, lies: frozenset[Lie]) -> str:
        begins = self._now()
        if Lie.EXPIRED_CERTIFICATE in lies:
            begins += _EXPIRED
        if Lie.FUTURE_CERTIFICATE in lies:
            begins += _FUTURE
        if Lie.OTHER_IDENTITY in lies:
            subject = subject._replace(name="mallory@example.invalid", is_uri=False)
        leaf = build_leaf(self._authority, key, subject, begins)
        if Lie.NO_SCT in lies:
            return encode_pem(sign_leaf(self._authority, leaf))
        sct_list = self._ct_log.add(sign_leaf(self._authority, leaf), self._authority.certificate, lies)
        return encode_pem(sign_leaf(self._authority, leaf, sct_list))


def _read_token(request: Request, content: Mapping[str, Any]) -> str:
    """Take the token from the header, as sigstore-python sends it, or from the body, as sigstore-js does."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    credentials = content.get("credentials")
    sent = credentials.get("oidcIdentityToken") if isinstance(credentials, dict) else None
    if not isinstance(sent, str):
        raise RefusalError(401, f"{_TOKEN_REFUSED}: there is none")
    return sent


def _check_possession(content: Mapping[str, Any], possessor: str) -> "SignerKey":
    """Return the key that is to be certified, once a signature has shown that its private half is there.

    Either a certificate signing request (PEM, RFC 2986), or a key with a signature over the token's subject.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_csr

    try:
        if "certificateSigningRequest" in content:
            asked = load_pem_x509_csr(base64.b64decode(content["certificateSigningRequest"], validate=True))
            key = take_key(asked.public_key())
            proved = asked.is_signature_valid
        else:
            given = content["publicKeyRequest"]
            key = take_key(load_pem_public_key(given["publicKey"]["content"].encode()))
            proof = base64.b64decode(given["proofOfPossession"], validate=True)
            proved = is_signed(key, proof, possessor.encode())
    except Exception as error:  # each library has its own ways to dislike a key
        raise RefusalError(400, "The public key supplied in the request could not be parsed") from error
    if not proved:
        raise RefusalError(400, _POSSESSION_REFUSED)
    return key
