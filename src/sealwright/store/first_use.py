"""The trust that was accepted on first use, as a trust folder: a publisher, and the root of Sigstore behind it.

Enters: a pin of a first use, or nothing but a project's name. Leaves: a `TrustFolder` whose policy asks for that
publisher's PEP 740 attestation of each file, and for nothing else. The same verifier judges by it as by any other.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sealwright.files.digest import digest_bytes
from sealwright.model.pin import Pin
from sealwright.model.policy import PUBLISH_ATTESTATIONS, Places, Policy, Requirements, Signer, Template
from sealwright.model.publisher import Publisher, from_pairs, to_pairs
from sealwright.store.trust_folder import TrustFolder

ROOT_FILE = "trusted_root.json"
ROOT_KEY = "sigstore-root"
SIGNER = "the publisher that was accepted on first use"
_ROOTS = ("production", ROOT_FILE)
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # nobody said until when: no such date is ever shown
_VERSION = 0  # below that of every policy, which is stronger


def publisher_of_pin(pin: Pin) -> Publisher:
    """Return whom a pin of a first use accepted. Raises ValueError if it holds no such thing."""
    found = from_pairs(pair for pair in pin.publisher if pair[0] != ROOT_KEY)
    root = root_of_pin(pin)
    if root not in _ROOTS or pin.files.keys() != ({ROOT_FILE} if root == ROOT_FILE else set()):
        raise ValueError("no first use that this version can read")
    return found


def root_of_pin(pin: Pin) -> str:
    """Return which root of Sigstore judges: production, or the name of a file of the pin."""
    return dict(pin.publisher).get(ROOT_KEY, "")


def pairs_of(publisher: Publisher, root: str) -> tuple[tuple[str, str], ...]:
    """Return what a pin keeps of a publisher, and of the root that vouched for it."""
    return (*to_pairs(publisher), (ROOT_KEY, root))


def trust_first(
    path: Path, project: str, publisher: Publisher | None, root: str, files: Mapping[str, bytes]
) -> TrustFolder:
    """Return the trust in a publisher, or in nobody yet. `path` is what to call it."""
    signers = (Signer(SIGNER, publisher=publisher),) if publisher else ()
    none = Requirements(1, 0, 1, None, None, None, None, layout=False)
    repository = publisher.repository if publisher else ""
    places, tag = Places("index", "index"), Template("v{version}")
    policy = Policy(project, repository, _VERSION, _NEVER, root, places, tag, none, signers, (PUBLISH_ATTESTATIONS,))
    return TrustFolder(path, policy, {}, dict(files), fingerprint_first(project, publisher, root, files))


def fingerprint_first(project: str, publisher: Publisher | None, root: str, files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 (hex) of everything that a first use accepts: project, publisher, root of Sigstore."""
    judged = digest_bytes(files[ROOT_FILE]) if root == ROOT_FILE else root
    said = [project, judged, *(list(pair) for pair in (to_pairs(publisher) if publisher else ()))]
    return digest_bytes(json.dumps(said, ensure_ascii=True).encode("ascii"))
