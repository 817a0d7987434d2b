"""Keyless signatures, made by sigstore-python: one certificate for a whole release, one log entry a file.

Enters: where the services are (a ClientTrustConfig), who signs, digests of files. Leaves: Sigstore bundles, and PEP
740 attestations. Judges nothing: what was made is verified by sealwright.verify before it is kept. The private key
lives in memory for as long as the process.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sealwright.errors import SealwrightError, UndecidedError, UsageError
from sealwright.sign.identity import Identity
from sealwright.sign.patience import PATIENCE, Patience, open_session

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.sign import Signer, SigningContext

_Made = TypeVar("_Made")
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_GRANTED = (0, 1)  # RFC 3161, 2.4.2: granted, grantedWithMods
_LATER = "What was made is kept. Run this again: it goes on where it stopped."


class Services(NamedTuple):
    """A Sigstore instance: what to call it, and its ClientTrustConfig as JSON.

    Format: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
    """

    name: str
    config: bytes


def oidc_issuer_of(services: Services) -> str:
    """Return where a person can say who they are to this instance. Raises UsageError."""
    try:
        url: str = _read_config(services).signing_config.get_oidc_url()
    except SealwrightError:
        raise
    except Exception as error:  # the library lets out more than its own errors
        raise UsageError(f"{services.name} names no place to log in at", "Use --identity-token FILE.") from error
    return url


class SigstoreSigner:
    """An identity that is ready to sign; the certificate is asked for when it is first needed, and once.

    `renew` gets a new identity when that certificate has expired before everything was signed, or returns None.
    """

    def __init__(
        self,
        services: Services,
        identity: Identity,
        renew: Callable[[], Identity | None] = lambda: None,
        *,
        oldest_log: bool = False,
        patience: Patience = PATIENCE,
    ) -> None:
        """Take the services to use; `oldest_log` asks for Rekor v1, which alone fits into a PEP 740 attestation."""
        self.identity = identity
        self.services = services
        self._renew = renew
        self._patience = patience
        self._context = _open_context(services, oldest_log, patience)
        self._lock = threading.Lock()
        self._signer: Signer | None = None

    def sign(self, sha256: str, name: str) -> bytes:
        """Return a bundle (JSON) that signs the bytes with that digest (hex); `name` is for messages alone.

        May be called from several threads. Raises UndecidedError for an outage, and UsageError for an identity that
        the instance does not take.
        """
        from sigstore.hashes import Hashed
        from sigstore_models.common.v1 import HashAlgorithm

        digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))
        return self._with_signer(name, lambda signer: signer.sign_artifact(digest).to_json().encode() + b"\n")

    def sign_statement(self, statement: bytes, name: str) -> bytes:
        """Return a bundle (JSON, one line) that signs an in-toto statement (JSON). Raises as `sign`."""
        from sigstore.dsse import Statement

        return self._with_signer(name, lambda signer: signer.sign_dsse(Statement(statement)).to_json().encode() + b"\n")

    def attest(self, sha256: str, name: str) -> bytes:
        """Return an attestation (JSON) that the wheel or sdist `name` has that digest (hex). Raises as `sign`.

        https://peps.python.org/pep-0740/
        """
        from pypi_attestations import Attestation, Distribution

        distribution = Distribution(name=name, digest=sha256)
        return self._with_signer(
            name, lambda signer: Attestation.sign(signer, distribution).model_dump_json().encode() + b"\n"
        )

    def _with_signer(self, name: str, make: "Callable[[Signer], _Made]") -> _Made:
        """Make something, with a new certificate if the one at hand has expired."""
        signer = self._certified(None)
        try:
            return make(signer)
        except Exception as error:  # the library lets out more than its own errors
            if not _has_expired(error):
                raise _outage(f"{name} could not be signed", error) from error
        signer = self._certified(signer)
        try:
            return make(signer)
        except Exception as error:  # as above
            raise _outage(f"{name} could not be signed", error) from error

    def _certified(self, expired: "Signer | None") -> "Signer":
        """Return a signer with a certificate; `expired` is the one that is of no use any more."""
        with self._lock:
            if self._signer is not None and self._signer is not expired:
                return self._signer
            if expired is not None:
                self._take_new_identity()
            self._signer = _request_certificate(self._context, self.identity)
            return self._signer

    def _take_new_identity(self) -> None:
        renewed = self._renew()
        if renewed is None:
            raise UndecidedError("the signing certificate has expired before everything was signed", _LATER)
        if (renewed.name, renewed.oidc_issuer) != (self.identity.name, self.identity.oidc_issuer):
            raise UndecidedError(f"the identity has changed from {self.identity.name} to {renewed.name}", _LATER)
        self.identity = renewed


def _request_certificate(context: "SigningContext", identity: Identity) -> "Signer":
    from sigstore.oidc import IdentityToken

    try:
        with context.signer(IdentityToken(identity.token)) as signer:
            return signer
    except Exception as error:  # noqa: BLE001  the library's own errors, Fulcio's, requests', and what their JSON may hold
        refused = getattr(getattr(error.__cause__, "response", None), "status_code", 0) in (400, 401, 403)
        if refused:
            raise UsageError(
                f"no signing certificate for {identity.name}: the identity token was refused",
                "Get a new token: they are good for a few minutes, and must be meant for this instance.",
            ) from None
        raise _outage(f"no signing certificate for {identity.name}", error) from None


def _has_expired(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that the certificate or the token is past its time."""
    while error is not None:
        if type(error).__name__ in ("ExpiredCertificate", "ExpiredIdentity"):
            return True
        error = error.__cause__ or error.__context__
    return False


def _outage(what: str, error: Exception) -> SealwrightError:
    if isinstance(error, SealwrightError):
        return error
    words = (str(error).strip().splitlines() or [""])[0][:200]
    return UndecidedError(f"{what}: {words or type(error).__name__}", _LATER)


def _read_config(services: Services) -> "ClientTrustConfig":
    from sigstore.models import ClientTrustConfig

    try:
        return ClientTrustConfig.from_json(services.config.decode("utf-8"))
    except Exception as error:  # the library lets out more than its own errors
        raise UsageError(f"{services.name} is no trust config of Sigstore ({type(error).__name__})") from error


def _open_context(services: Services, oldest_log: bool, patience: Patience) -> "SigningContext":
    """Build sigstore-python's context from its own parts, with bounded connections and timestamps that must be had."""
    from sigstore.sign import SigningContext

    config = _read_config(services)
    if oldest_log:
        config.force_tlog_version = 1
    try:
        signing = config.signing_config
        fulcio, logs, authorities = signing.get_fulcio(), signing.get_tlogs(), signing.get_tsas()
        fulcio.session = open_session(patience, _JSON)
        return SigningContext(
            fulcio=fulcio,
            rekor=_bounded(logs[0], patience, _JSON),
            trusted_root=config.trusted_root,
            tsa_clients=[_Timestamps(client, patience) for client in authorities],  # type: ignore[misc]
        )
    except Exception as error:  # the library lets out more than its own errors
        old = " with Rekor v1, which a PEP 740 attestation needs" if oldest_log else ""
        raise UsageError(f"{services.name} names no services that can be used{old} ({type(error).__name__})") from error


def _bounded(client: Any, patience: Patience, headers: dict[str, str]) -> Any:
    """Give a client of the library sessions with bounds, one a thread: its own have none and cannot be told any."""

    class Sessions(threading.local):
        def __init__(self) -> None:
            self.session = open_session(patience, headers)

    client._thread_local = Sessions()
    return client


class _Timestamps:
    """A timestamp authority, asked before anything enters the log; the library would go on without its answer."""

    def __init__(self, client: Any, patience: Patience) -> None:
        self.url = client.url
        self._client = _bounded(client, patience, {"Content-Type": "application/timestamp-query"})

    def request_timestamp(self, signature: bytes) -> Any:
        """Return a timestamp of a signature (https://www.rfc-editor.org/rfc/rfc3161). Raises UndecidedError."""
        what = f"the timestamp authority {self.url} gave no timestamp"
        try:
            response = self._client.request_timestamp(signature)
        except Exception as error:  # a client's errors are of several libraries
            raise _outage(what, error) from error
        if response.status not in _GRANTED:  # the library would put a refusal into the bundle
            raise UndecidedError(f"{what}: it refused (status {response.status})", _LATER)
        return response
