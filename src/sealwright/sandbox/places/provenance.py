"""PEP 740 provenance objects, as an index makes them of the attestations that were uploaded with a file.

Enters: attestations (JSON), and who published them. Leaves: JSON. Verifies nothing, unlike a real index: whatever a
test wants to have served is served. https://peps.python.org/pep-0740/
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sealwright.sandbox.sigstore.claims import GitHubClaims

if TYPE_CHECKING:
    import pypi_attestations


class GitHubPublisher(NamedTuple):
    """A workflow that is trusted to publish: OWNER/REPO and a file name in .github/workflows/."""

    repository: str = "example/project"
    workflow: str = "release.yml"
    environment: str | None = None

    def build(self) -> "pypi_attestations.Publisher":
        """Build the library's own object."""
        from pypi_attestations import GitHubPublisher as Built

        return Built(repository=self.repository, workflow=self.workflow, environment=self.environment)


class GitLabPublisher(NamedTuple):
    """A pipeline that is trusted to publish: GROUP/PROJECT and the path of its configuration."""

    repository: str = "example/project"
    workflow_filepath: str = ".gitlab-ci.yml"
    environment: str | None = None

    def build(self) -> "pypi_attestations.Publisher":
        """Build the library's own object."""
        from pypi_attestations import GitLabPublisher as Built

        return Built(repository=self.repository, workflow_filepath=self.workflow_filepath, environment=self.environment)


Publisher = GitHubPublisher | GitLabPublisher


def publisher_of(claims: GitHubClaims) -> GitHubPublisher:
    """Return the publisher that such a run of a workflow is."""
    return GitHubPublisher(claims.repository, claims.workflow.rpartition("/")[2], claims.environment or None)


def build_provenance(*bundles: tuple[Publisher, Sequence[bytes]]) -> bytes:
    """Build a provenance object of attestations, each group with its publisher. Raises ValueError for none of them."""
    from pypi_attestations import Attestation, AttestationBundle, Provenance

    built = [
        AttestationBundle(
            publisher=publisher.build(), attestations=[Attestation.model_validate_json(each) for each in attestations]
        )
        for publisher, attestations in bundles
    ]
    return Provenance(attestation_bundles=built).model_dump_json().encode()
