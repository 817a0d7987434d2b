"""A trust folder that changed while its policy's version did not: who has seen the version would refuse it.

Enters: a policy, its bytes and its keys, and the audit log. Leaves: warnings. The log knows how the files were when
they were last sealed by, or changed by `sealwright keys`; where it knows nothing, or cannot be read, nothing is said.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from sealwright.errors import SealwrightError
from sealwright.files.digest import digest_bytes
from sealwright.model.log_entry import Action
from sealwright.model.policy import Policy
from sealwright.store.log_reading import find_last
from sealwright.store.trust_folder import POLICY_FILE

_VERSION = "version"  # without it, a line says nothing of how the files were with which version
MOST_KEYS = 50
"""So many keys are written into a line of the log, and looked for in it."""


def judging_files(content: bytes, keys: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """Return the policy and its keys with their SHA-256 (hex), by name, as the log holds them."""
    files = {POLICY_FILE: content} | {f"{key}.asc": public for key, public in sorted(keys.items())[:MOST_KEYS]}
    return tuple((name, digest_bytes(each)) for name, each in files.items())


def find_unraised(policy: Policy, content: bytes, keys: Mapping[str, bytes], log: Path) -> tuple[str, ...]:
    """Name each file that is another than the log last knew it with this very version of the policy."""
    found = []
    with contextlib.suppress(SealwrightError):  # what the log does not say is not known
        lines = [find_last(log, Action.POLICY, policy.project, detail=_VERSION)]
        for fingerprint in sorted(keys)[:MOST_KEYS]:  # a change by `sealwright keys` is of the policy, too
            changed = find_last(log, Action.KEY, fingerprint, detail=_VERSION)
            lines += [changed] if changed and changed["detail"].get("project") == policy.project else []
        for name, sha256 in judging_files(content, keys):
            known = [line for line in lines if line and name in line.get("object", {}).get("sha256", {})]
            last = max(known, key=lambda line: str(line.get("time", "")), default=None)
            if last is None or last["detail"][_VERSION] != str(policy.version):
                continue
            if last["object"]["sha256"][name] != sha256:
                found.append(
                    f"{name} has changed since {str(last['time'])[:10]}, and the policy still has version "
                    f"{policy.version}: raise it, or users who know that version are told that this is another policy"
                )
    return tuple(found)
