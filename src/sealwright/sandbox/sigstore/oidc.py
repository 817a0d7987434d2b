"""The sandbox's OIDC issuer: tokens for e-mail addresses, GitHub workflows and GitLab jobs, and the ways to get one.

Enters: whom a token is for. Leaves: JWTs, signed ES256. Asks nobody who they are: each request for a token is granted,
because the sandbox plays the person at the browser as well.
https://openid.net/specs/openid-connect-core-1_0.html
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sealwright.sandbox.faults import Endpoint, Lie
from sealwright.sandbox.server import RefusalError, Request, Response, Route, answer_json
from sealwright.sandbox.sigstore.claims import AUDIENCE, EMAIL_ISSUER, GitHubClaims, GitLabClaims
from sealwright.sandbox.sigstore.keys import LogKey

LIFETIME = timedelta(minutes=5)
_LONG_AGO = timedelta(hours=1)
_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class Issuer:
    """Signs tokens, and hands them out over GitHub's ambient protocol and OAuth's authorization code."""

    def __init__(self, url: str, key: LogKey, now: Callable[[], datetime]) -> None:
        """Take the URL that the issuer listens at."""
        self.url = url
        self._at_the_browser = "alice@example.com"
        self._key = key
        self._key_id = key.key_id.hex()[:16]
        self._now = now
        self._lock = threading.Lock()
        self._ambient: dict[str, GitHubClaims] = {}
        self._codes: dict[str, tuple[str, str, str]] = {}

    def email_token(
        self, email: str, *, issuer: str = EMAIL_ISSUER, audience: str = AUDIENCE, lifetime: timedelta = LIFETIME
    ) -> str:
        """Make a token for an e-mail address. A negative lifetime makes one that has expired."""
        claims = {"iss": issuer, "sub": email, "email": email, "email_verified": True}
        return self.sign(claims, audience=audience, lifetime=lifetime)

    def github_token(self, claims: GitHubClaims, *, audience: str = AUDIENCE, lifetime: timedelta = LIFETIME) -> str:
        """Make a token for a run of a GitHub workflow."""
        return self.sign(claims.as_jwt(), audience=audience, lifetime=lifetime)

    def gitlab_token(self, claims: GitLabClaims, *, audience: str = AUDIENCE, lifetime: timedelta = LIFETIME) -> str:
        """Make a token for a job of a GitLab pipeline."""
        return self.sign(claims.as_jwt(), audience=audience, lifetime=lifetime)

    def sign(self, claims: dict[str, Any], *, audience: str = AUDIENCE, lifetime: timedelta = LIFETIME) -> str:
        """Sign any claims; audience and times are added. RFC 7519."""
        import jwt

        issued = self._now() if lifetime > timedelta(0) else self._now() + lifetime - LIFETIME
        times = {"iat": int(issued.timestamp()), "nbf": int(issued.timestamp())}
        times["exp"] = int((self._now() + lifetime).timestamp())
        token = {**claims, "aud": audience, **times, "jti": secrets.token_hex(16)}
        return jwt.encode(token, self._key.private, "ES256", headers={"kid": self._key_id})

    def verify(self, token: str) -> dict[str, Any]:
        """Return a token's claims if this issuer's key has signed it. Raises jwt.InvalidTokenError. RFC 7515, 5.2.

        Judges neither audience, issuer nor times: `fulcio.py` does, by the sandbox's clock.
        """
        import jwt

        signed = jwt.PyJWS().decode(token, self._key.private.public_key(), ["ES256"])
        claims: dict[str, Any] = json.loads(signed)
        return claims

    def github_environment(self, claims: GitHubClaims) -> dict[str, str]:
        """Return the environment of a job that may ask for tokens with these claims, as often as it likes.

        https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
        """
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._ambient[secret] = claims
        return claims.as_environment() | {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/github/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret,
        }

    def log_in(self, email: str) -> None:
        """Decide who sits at the browser from now on, for clients that log in with one."""
        self._at_the_browser = email

    def routes(self) -> tuple[Route, ...]:
        """What can be asked over HTTP."""
        return (
            Route("GET", "/.well-known/openid-configuration", Endpoint.DISCOVERY, self._answer_discovery),
            Route("GET", "/keys", Endpoint.KEYS, self._answer_keys),
            Route("GET", "/github/token", Endpoint.AMBIENT, self._answer_ambient),
            Route("GET", "/auth", Endpoint.AUTHORIZE, self._answer_authorize),
            Route("POST", "/token", Endpoint.TOKEN, self._answer_token),
        )

    def _answer_discovery(self, request: Request) -> Response:
        return answer_json(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "scopes_supported": ["openid", "email"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _answer_keys(self, request: Request) -> Response:
        from jwt.algorithms import ECAlgorithm

        public = json.loads(ECAlgorithm.to_jwk(self._key.private.public_key()))  # type: ignore[arg-type]
        return answer_json({"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": "ES256"}]})

    def _answer_ambient(self, request: Request) -> Response:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            claims = self._ambient.get(secret) if scheme.lower() == "bearer" else None
        if claims is None:
            raise RefusalError(401, "no job of this sandbox has this request token")
        audience = request.query.get("audience", f"https://github.com/{claims.repository.partition('/')[0]}")
        token = self.github_token(claims, audience=audience, lifetime=self._lifetime(request))
        return answer_json({"value": token, "count": len(token)})

    def _lifetime(self, request: Request) -> timedelta:
        return -_LONG_AGO if Lie.EXPIRED_TOKEN in request.lies else LIFETIME

    def _answer_authorize(self, request: Request) -> Response:
        """Play the person who logs in and consents. RFC 6749, 4.1.1 and RFC 7636, 4.3."""
        query = request.query
        target = query.get("redirect_uri", "")
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            raise RefusalError(400, "only the authorization code with PKCE (S256) is offered")
        if target != _OUT_OF_BAND and urlsplit(target).hostname not in {"localhost", "127.0.0.1"}:
            raise RefusalError(400, "a code is sent to loopback only")
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = (
                query.get("code_challenge", ""),
                target,
                query.get("login_hint", self._at_the_browser),
            )
        if target == _OUT_OF_BAND:
            return Response(200, code.encode(), "text/plain")
        location = f"{target}?{urlencode({'code': code, 'state': query.get('state', '')})}"
        return Response(302, b"", "text/plain", (("Location", location),))

    def _answer_token(self, request: Request) -> Response:
        """Change a code, once, for a token. RFC 6749, 4.1.3 and RFC 7636, 4.6."""
        form = dict(parse_qsl(request.body.decode()))
        with self._lock:
            challenge, target, email = self._codes.pop(form.get("code", ""), ("", "", ""))
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode() == challenge
        if form.get("grant_type") != "authorization_code" or not proved or form.get("redirect_uri") != target:
            return answer_json({"error": "invalid_grant"}, 400)
        token = self.email_token(email, issuer=self.url, lifetime=self._lifetime(request))
        granted = {"access_token": token, "id_token": token, "token_type": "bearer"}
        return answer_json(granted | {"expires_in": int(LIFETIME.total_seconds())})
