"""A maintainer's own public key, taken into the trust folder.

Enters: a file that somebody sent, and whose key it should be. Leaves: its minimised public part beside the policy,
which lists its fingerprint. Whose key it really is, only a person can say: the fingerprint is shown for that.
"""

from datetime import datetime
from pathlib import Path

from sealwright.jobs.keys.public import PublicPart, read_public, refuse_shared, refuse_unfit, renew_public
from sealwright.store.policy_editing import list_key
from sealwright.store.trust_editing import Published, publish, read_draft


def read_candidate(gpg: str | None, content: bytes, policy: Path, signer: str, now: datetime, place: str) -> PublicPart:
    """Judge a public key before it is listed for a signer; one that is listed is joined with what is published of it.

    `place` is where it came from, in words. Raises UsageError for one that would not count or is not one, PolicyError
    for one that shares key material, is another signer's, or is secret.
    """
    part = read_public(gpg, content, now, place)
    fingerprint = part.primary.fingerprint
    draft = read_draft(policy, fingerprint)
    list_key(draft.content, signer, fingerprint)  # raises if it is another signer's
    if fingerprint in draft.keys:
        part = renew_public(gpg, fingerprint, draft.keys[fingerprint], part.content, now)
    else:
        refuse_unfit(part)
    refuse_shared(gpg, draft.policy.openpgp_keys(), draft.keys, part, now)
    return part


def add_key(policy: Path, part: PublicPart, signer: str) -> Published:
    """Write a key that was judged beside the policy, and list it. Raises PolicyError and UndecidedError."""
    fingerprint = part.primary.fingerprint
    return publish(policy, fingerprint, part.content, lambda content: list_key(content, signer, fingerprint))
