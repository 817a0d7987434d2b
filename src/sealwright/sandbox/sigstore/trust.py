"""What a client must know to trust the sandbox, and where it finds the services.

Enters: public keys, certificates, URLs. Leaves: JSON documents of protobuf-specs. Pure.
https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.model.trusted_root import SANDBOX_ORGANIZATION
from sealwright.sandbox.sigstore.keys import LogKey, encode_der

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_BEFORE = timedelta(days=1)
_OPERATOR = "sandbox.invalid"


class Urls(NamedTuple):
    """Where the services are."""

    oidc: str
    fulcio: str
    ct_log: str
    rekor1: str
    rekor2: str
    timestamp: str
    tuf: str


class Trusted(NamedTuple):
    """Whom a client trusts; chains go from the leaf to the root."""

    fulcio: "tuple[Certificate, ...]"
    timestamper: "tuple[Certificate, ...]"
    ct_log: LogKey
    rekor1: LogKey
    rekor2: LogKey
    rekor2_id: bytes
    since: datetime


def build_trusted_root(trusted: Trusted, urls: Urls) -> dict[str, Any]:
    """Build a TrustedRoot. One serves all: with Rekor v1 and v2, with and without timestamps."""
    start = _time(trusted.since - _BEFORE)
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            _log(trusted.rekor1, trusted.rekor1.key_id, urls.rekor1, start),
            _log(trusted.rekor2, trusted.rekor2_id, urls.rekor2, start),
        ],
        "certificateAuthorities": [_authority(trusted.fulcio, urls.fulcio, start)],
        "ctlogs": [_log(trusted.ct_log, trusted.ct_log.key_id, urls.ct_log, start)],
        "timestampAuthorities": [_authority(trusted.timestamper, urls.timestamp, start)],
    }


def build_signing_config(urls: Urls, since: datetime, *, rekor: int, timestamps: bool) -> dict[str, Any]:
    """Build a SigningConfig for Rekor v1 or v2, with or without timestamps."""

    def service(url: str, version: int) -> dict[str, Any]:
        start = {"start": _time(since - _BEFORE)}
        return {"url": url, "majorApiVersion": version, "validFor": start, "operator": _OPERATOR}

    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service(urls.fulcio, 1)],
        "oidcUrls": [service(urls.oidc, 1)],
        "rekorTlogUrls": [service(urls.rekor1 if rekor == 1 else urls.rekor2, rekor)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [service(urls.timestamp, 1)] if timestamps else [],
        "tsaConfig": {"selector": "ANY"},
    }


def build_trust_config(trusted_root: dict[str, Any], signing_config: dict[str, Any]) -> dict[str, Any]:
    """Build a ClientTrustConfig: all that a client needs, in one file."""
    return {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": trusted_root,
        "signingConfig": signing_config,
    }


def _log(key: LogKey, log_id: bytes, url: str, start: str) -> dict[str, Any]:
    public = {"rawBytes": _encode(key.spki), "keyDetails": key.details, "validFor": {"start": start}}
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": public,
        "logId": {"keyId": _encode(log_id)},
        "operator": _OPERATOR,
    }


def _authority(chain: "Sequence[Certificate]", url: str, start: str) -> dict[str, Any]:
    from cryptography.x509 import NameOID

    common = chain[-1].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return {
        "subject": {"organization": SANDBOX_ORGANIZATION, "commonName": common},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": _encode(encode_der(each))} for each in chain]},
        "validFor": {"start": start},
        "operator": _OPERATOR,
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()
