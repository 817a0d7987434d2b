"""What judges a release, all of it from elsewhere than the release.

Enters: nothing. Leaves: `Trust`.
"""

from sealwright.model.policy import Policy
from sealwright.model.record import Record
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import PolicyInUse
from sealwright.model.withdrawal import Withdrawal


class Trust(Record):
    """Where trust comes from: the policy, which one it is, the key files it names (by fingerprint), the Sigstore root.

    Without a `root`, no Sigstore evidence is judged; a policy that lists a Sigstore identity must come with one.
    `withdrawn` is the trust folder's own withdrawn.json, `remembered` what was once found to be called back.
    """

    policy: Policy
    in_use: PolicyInUse
    keys: dict[str, bytes]
    root: TrustedRootFile | None = None
    withdrawn: bytes = b""
    remembered: tuple[Withdrawal, ...] = ()
