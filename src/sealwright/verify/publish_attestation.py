"""One PEP 740 attestation, held against the policy and a trusted root that is given.

Enters: bytes. Leaves: what is wrong with it. pypi-attestations turns it into a Sigstore bundle, sigstore-python judges
that one; decided here is that it is about this very file, by name and digest. https://peps.python.org/pep-0740/
"""

from typing import TYPE_CHECKING

from sealwright.files.strict_json import read_json
from sealwright.model.policy import Policy
from sealwright.model.statement import Subject
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.verify.bundle import BadEvidenceError, open_verifier, verify_statement, words_of
from sealwright.verify.sigstore import Listed, expand_identities

if TYPE_CHECKING:
    from packaging.version import Version

_KIND = "https://docs.pypi.org/attestations/publish/v1"


def check_publish_attestation(
    content: bytes, name: str, sha256: str, policy: Policy, version: "Version", root: TrustedRootFile
) -> str:
    """Return what is wrong with an attestation of the artifact `name` with that digest (hex); empty if nothing."""
    from pypi_attestations import Attestation

    verifier = open_verifier(root)
    listed = Listed(expand_identities(policy, str(version)))
    try:
        read_json(content)
        attestation = Attestation.model_validate_json(content)
        statement = verify_statement(verifier, attestation.to_bundle(), listed)
        if listed.found is None:
            raise BadEvidenceError("the certificate was not held against the policy")
    except Exception as error:  # noqa: BLE001  whatever is thrown at evidence from outside is evidence that is bad
        return words_of(error)
    if statement.kind != _KIND:
        return f"a statement of type {statement.kind}"
    if statement.subjects != (Subject(name, sha256),):
        return f"a statement about {', '.join(subject.name for subject in statement.subjects)[:200]}"
    return ""
