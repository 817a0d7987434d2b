"""The sandbox's Sigstore as one thing: started, asked for tokens and trust, told to fail, stopped.

Enters: a clock. Leaves: URLs, tokens, and the documents with which clients trust it. Its keys live as long as the
context, in memory; what it writes is public, but for the tokens, which it only returns.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sealwright.files.writing import write_whole
from sealwright.sandbox.faults import Endpoint, Faults
from sealwright.sandbox.server import Service, running_service
from sealwright.sandbox.sigstore import oidc
from sealwright.sandbox.sigstore.certificates import make_intermediate, make_root, make_timestamper
from sealwright.sandbox.sigstore.claims import (
    AUDIENCE,
    EMAIL_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GitHubClaims,
    GitLabClaims,
    ReadSubject,
    read_email_subject,
    read_github_subject,
    read_gitlab_subject,
)
from sealwright.sandbox.sigstore.ct_log import CtLog
from sealwright.sandbox.sigstore.decoy import Stranger
from sealwright.sandbox.sigstore.fulcio import Fulcio
from sealwright.sandbox.sigstore.keys import make_ecdsa_key, make_ed25519_key
from sealwright.sandbox.sigstore.rekor_v1 import RekorV1
from sealwright.sandbox.sigstore.rekor_v2 import RekorV2
from sealwright.sandbox.sigstore.timestamps import Timestamper
from sealwright.sandbox.sigstore.trust import (
    Trusted,
    Urls,
    build_signing_config,
    build_trust_config,
    build_trusted_root,
)
from sealwright.sandbox.sigstore.tuf_repository import build_repository, route_to

_HOST = "127.0.0.1"  # the name of the logs: their host, without a port
_PORTS = 6


class Sigstore:
    """A running Sigstore. Made by `running_sigstore` alone."""

    def __init__(self, urls: Urls, trusted: Trusted, issuer: oidc.Issuer, faults: Faults) -> None:
        """Take what the services are made of."""
        self.urls = urls
        self.faults = faults
        self.tuf_root = b""
        self._trusted = trusted
        self._issuer = issuer

    @property
    def requests(self) -> Counter[Endpoint]:
        """The number of requests to each endpoint since the start or the last `faults.clear()`."""
        return self.faults.counted()

    def trusted_root(self) -> dict[str, Any]:
        """The TrustedRoot, for all that this sandbox signs."""
        return build_trusted_root(self._trusted, self.urls)

    def trust_config(self, *, rekor: int = 1, timestamps: bool = True) -> dict[str, Any]:
        """The ClientTrustConfig for signing with Rekor v1 or v2, with or without timestamps.

        Raises ValueError for Rekor v2 without timestamps, which nobody could verify: it says nothing about the time.
        """
        if rekor not in (1, 2) or (rekor == 2 and not timestamps):
            raise ValueError("Rekor is of version 1, or of version 2 with timestamps")
        config = build_signing_config(self.urls, self._trusted.since, rekor=rekor, timestamps=timestamps)
        return build_trust_config(self.trusted_root(), config)

    def trusted_root_json(self) -> bytes:
        """The trusted root as a client reads it."""
        return _encode(self.trusted_root())

    def trust_config_json(self, *, rekor: int = 1, timestamps: bool = True) -> bytes:
        """A trust config as a client reads it. Raises ValueError as `trust_config`."""
        return _encode(self.trust_config(rekor=rekor, timestamps=timestamps))

    def write_trusted_root(self, path: Path) -> None:
        """Write the trusted root. Raises OSError."""
        write_whole(path, self.trusted_root_json())

    def write_trust_config(self, path: Path, *, rekor: int = 1, timestamps: bool = True) -> None:
        """Write a trust config. Raises OSError and ValueError."""
        write_whole(path, self.trust_config_json(rekor=rekor, timestamps=timestamps))

    def write_tuf_root(self, path: Path) -> None:
        """Write the root.json with which a client begins to trust the TUF repository at `urls.tuf`. Raises OSError."""
        write_whole(path, self.tuf_root)

    def email_token(
        self,
        email: str,
        *,
        issuer: str = EMAIL_ISSUER,
        audience: str = AUDIENCE,
        lifetime: timedelta = oidc.LIFETIME,
    ) -> str:
        """Make a token (JWT) for an e-mail address. A negative lifetime makes one that has expired."""
        return self._issuer.email_token(email, issuer=issuer, audience=audience, lifetime=lifetime)

    def github_token(
        self, claims: GitHubClaims, *, audience: str = AUDIENCE, lifetime: timedelta = oidc.LIFETIME
    ) -> str:
        """Make a token (JWT) for a run of a GitHub workflow."""
        return self._issuer.github_token(claims, audience=audience, lifetime=lifetime)

    def gitlab_token(
        self, claims: GitLabClaims, *, audience: str = AUDIENCE, lifetime: timedelta = oidc.LIFETIME
    ) -> str:
        """Make a token (JWT) for a job of a GitLab pipeline, which finds it in its variable SIGSTORE_ID_TOKEN."""
        return self._issuer.gitlab_token(claims, audience=audience, lifetime=lifetime)

    def github_environment(self, claims: GitHubClaims) -> dict[str, str]:
        """Return the environment variables of such a run; a client that finds them fetches its tokens here."""
        return self._issuer.github_environment(claims)

    def log_in(self, email: str) -> None:
        """Decide who logs in from now on when a client sends its user to a browser; alice@example.com at first."""
        self._issuer.log_in(email)


@contextlib.contextmanager
def running_sigstore(
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    github_issuers: Iterable[str] = (GITHUB_ISSUER,),
    gitlab_issuers: Iterable[str] = (GITLAB_ISSUER,),
    email_issuers: Iterable[str] = (EMAIL_ISSUER,),
) -> Iterator[Sigstore]:
    """Run a Sigstore on ports of 127.0.0.1 until the context ends; `now` tells the time, with a time zone.

    Fulcio takes tokens that the sandbox has signed, for these issuers and for the sandbox's own URL (e-mail).
    Raises OSError if there are no ports.
    """
    faults = Faults()
    with contextlib.ExitStack() as stack:
        services = [stack.enter_context(running_service(faults)) for _ in range(_PORTS)]
        speaks: dict[str, ReadSubject] = dict.fromkeys(github_issuers, read_github_subject)
        speaks |= dict.fromkeys(gitlab_issuers, read_gitlab_subject)
        speaks |= dict.fromkeys(email_issuers, read_email_subject)
        yield _furnish(services, faults, now, speaks)


def _furnish(
    services: list[Service],
    faults: Faults,
    now: Callable[[], datetime],
    speaks: dict[str, ReadSubject],
) -> Sigstore:
    at_oidc, at_fulcio, at_rekor1, at_rekor2, at_timestamper, at_tuf = services
    since = now()
    urls = Urls(
        at_oidc.url,
        at_fulcio.url,
        f"{at_fulcio.url}/ctlog",
        at_rekor1.url,
        at_rekor2.url,
        f"{at_timestamper.url}/api/v1/timestamp",
        at_tuf.url,
    )
    issuer = oidc.Issuer(urls.oidc, make_ecdsa_key(), now)
    stranger, foreign = Stranger(since), make_ecdsa_key()
    ct_log = CtLog(make_ecdsa_key(), foreign, now)
    authority = make_intermediate(make_root("sandbox Fulcio root", since), "sandbox Fulcio intermediate", since)
    fulcio = Fulcio(authority, ct_log, issuer, now, speaks | {urls.oidc: read_email_subject})
    rekor1 = RekorV1(_HOST, make_ecdsa_key(), foreign, stranger, now)
    rekor2 = RekorV2(_HOST, make_ed25519_key(), make_ed25519_key(), stranger, now)
    stamping = make_timestamper(make_root("sandbox timestamping root", since), "sandbox timestamping", since)
    trusted = Trusted(
        authority.chain, stamping.chain, ct_log.key, rekor1.key, rekor2.key, rekor2.log_id, since.astimezone(UTC)
    )
    sigstore = Sigstore(urls, trusted, issuer, faults)
    files = _build_tuf(sigstore, since)
    sigstore.tuf_root = files["1.root.json"]
    at_oidc.serve(*issuer.routes())
    at_fulcio.serve(*fulcio.routes(), *ct_log.routes(), grpc_codes=True)
    at_rekor1.serve(*rekor1.routes())
    at_rekor2.serve(*rekor2.routes(), grpc_codes=True)
    at_timestamper.serve(*Timestamper(stamping, now).routes())
    at_tuf.serve(route_to(files))
    return sigstore


def _build_tuf(sigstore: Sigstore, now: datetime) -> dict[str, bytes]:
    config = sigstore.trust_config(rekor=1, timestamps=True)
    targets = {
        "trusted_root.json": _encode(config["trustedRoot"]),
        "signing_config.v0.2.json": _encode(config["signingConfig"]),
    }
    return build_repository(targets, now)


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"  # one line: gh reads a trusted root as JSON Lines
