"""What of a policy its users can do nothing with: evidence where none can lie, an address that nobody has filled in.

Enters: a policy. Leaves: warnings for who publishes it. Asks no place for anything.
"""

from sealwright.model.evidence import PUBLISH, required_kinds
from sealwright.model.policy import Policy

NO_REPOSITORY = "https://example.invalid/put-your-repository-here"
"""What `sealwright init` writes where it finds no repository."""


def find_unfit(policy: Policy) -> tuple[str, ...]:
    """Say what would keep users from verifying a release that they fetch."""
    found = []
    if policy.repository == NO_REPOSITORY:
        found.append(f"repository is still {NO_REPOSITORY}: put the project's own address there")
    lost = [kind.id for kind in required_kinds(policy) if kind.id != PUBLISH]
    if lost and policy.places.evidence == "index":
        found.append(
            f"places.evidence is an index, which takes no {', '.join(lost)}: users would have to bring the release's "
            "folder themselves; name github:OWNER/REPO or an https:// address"
        )
    return tuple(found)
