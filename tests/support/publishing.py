"""A sealed release with PEP 740 attestations, published to the sandbox's index, release page and web folder."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.sandbox.places import Places, Published, build_provenance, publisher_of
from sealwright.sandbox.sigstore import GitHubClaims, Sigstore
from support.keyless import WORKFLOW, Run, keyless_world
from support.sigstore import client
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


def attestation_by(sigstore: Sigstore, claims: GitHubClaims, artifact: Path, **changes: Any) -> bytes:
    """A publish attestation of a file by whatever workflow; `changes` make its statement say something else."""
    from pypi_attestations import Attestation
    from sigstore.dsse import Statement

    sha256 = hashlib.sha256(artifact.read_bytes()).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": artifact.name, "digest": {"sha256": sha256}}],
        "predicateType": "https://docs.pypi.org/attestations/publish/v1", "predicate": None,
    } | changes  # fmt: skip
    with client(sigstore, "rekor1").signer(sigstore.github_token(claims)) as signer:
        bundle = signer.sign_dsse(Statement(json.dumps(statement).encode()))
    return Attestation.from_bundle(bundle).model_dump_json().encode()


def provenance_by(sigstore: Sigstore, claims: GitHubClaims, artifact: Path) -> bytes:
    """The provenance object that an index has of a file which that workflow published."""
    return build_provenance((publisher_of(claims), [attestation_by(sigstore, claims, artifact)]))
