"""A TUF repository that tells clients whom to trust, as Sigstore's own does.

Enters: the targets, as bytes. Leaves: the files of a repository, by their paths, and an HTTP route to them. Written
once, at the start: nothing in it changes, and its keys are gone when it stands.
https://theupdateframework.github.io/specification/latest/
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sealwright.sandbox.faults import Endpoint
from sealwright.sandbox.server import RefusalError, Request, Response, Route

_LIFETIME = timedelta(days=365)


def build_repository(targets: Mapping[str, bytes], now: datetime) -> dict[str, bytes]:
    """Sign a repository of one version with fresh Ed25519 keys, one a role. Paths have no slash first."""
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import (
        TOP_LEVEL_ROLE_NAMES,
        Key,
        Metadata,
        MetaFile,
        Role,
        Root,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )

    expires = (now + _LIFETIME).replace(microsecond=0)
    signers = {role: CryptoSigner.generate_ed25519() for role in sorted(TOP_LEVEL_ROLE_NAMES)}
    keys: dict[str, Key] = {signer.public_key.keyid: signer.public_key for signer in signers.values()}
    roles = {role: Role([signer.public_key.keyid], 1) for role, signer in signers.items()}
    listed = {name: TargetFile.from_data(name, content, ["sha256"]) for name, content in targets.items()}
    signed = {
        "root": Root(expires=expires, keys=keys, roles=roles, consistent_snapshot=True),
        "targets": Targets(expires=expires, targets=listed),
        "snapshot": Snapshot(expires=expires, meta={"targets.json": MetaFile(1)}),
        "timestamp": Timestamp(expires=expires, snapshot_meta=MetaFile(1)),
    }
    files = {f"targets/{hashlib.sha256(content).hexdigest()}.{name}": content for name, content in targets.items()}
    for role, content in signed.items():
        metadata: Metadata[Any] = Metadata(content)
        metadata.sign(signers[role])
        files["timestamp.json" if role == "timestamp" else f"1.{role}.json"] = metadata.to_bytes()
    return files


def route_to(files: Mapping[str, bytes]) -> Route:
    """Serve the files."""

    def answer(request: Request) -> Response:
        content = files.get(request.matched[0])
        if content is None:
            raise RefusalError(404, "no such file")
        return Response(200, content, "application/json")

    return Route("GET", "/(.*)", Endpoint.TUF, answer)
