"""A sealed release with PEP 740 attestations, published to the sandbox's index, release page and web folder."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.sandbox.places import Places, Published, publisher_of
from sealwright.sandbox.sigstore import Sigstore
from support.keyless import WORKFLOW, Run, keyless_world
from support.world import PROJECT, SDIST, VERSION, WHEEL, World

REPO = "o/r"
TAG = f"v{VERSION}"
ARTIFACTS = (WHEEL, SDIST)
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Attested:
    """A project that a workflow has sealed, with the attestations for the index beside it."""

    world: World

    @property
    def attestations(self) -> Path:
        return self.world.folder / "attestations"

    def copy(self, folder: Path) -> "Attested":
        shutil.copytree(self.world.folder, folder)
        return Attested(World(folder))

    def attestation(self, name: str) -> bytes:
        return (self.attestations / f"{name}.publish.attestation").read_bytes()


def attested_world(folder: Path, sigstore: Sigstore) -> Attested:
    made = Attested(keyless_world(folder, sigstore))
    made.attestations.mkdir()
    Run(made.world, sigstore, attestations=made.attestations).seal()
    return made


def publish(places: Places, attested: Attested) -> Published:
    """Publish everything everywhere: the index, the page v1.2.3 of o/r, PROJECT/VERSION/ of the web folder."""
    return places.publish(
        attested.world.release,
        project=PROJECT,
        version=VERSION,
        repository=REPO,
        attestations=attested.attestations,
        publisher=publisher_of(WORKFLOW),
    )


def tampered(provenance: bytes, change: Any) -> bytes:
    """A provenance object after `change` was called with it, parsed."""
    content = json.loads(provenance)
    change(content)
    return json.dumps(content).encode()
