"""Every key of the policy: what it may do, until when, and whether its secret part is at hand.

Enters: the policy's path, the user's keyring (or a key file), the time. Leaves: a `KeysStatus`. Changes nothing.
"""

from datetime import datetime
from pathlib import Path

from sealwright.gnupg.home import private_home, require_gpg
from sealwright.gnupg.keyring import Keyring
from sealwright.gnupg.listing import HERE, NOT_HERE, UNUSABLE, Key
from sealwright.jobs.keys.secret import read_key_file
from sealwright.jobs.unraised import find_unraised
from sealwright.model.key_status import KeysStatus, KeyStatus, PartStatus
from sealwright.store.trust_editing import read_draft
from sealwright.verify.openpgp import weakness
from sealwright.verify.policy_keys import import_keys

_MAY = {"c": "certify", "s": "sign", "e": "encrypt", "a": "authenticate"}
_ALGORITHMS = {1: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "Ed25519", 28: "Ed448"}
_STATES = {"r": "revoked", "e": "expired"}


def keys_status(gpg: str | None, policy: Path, key_file: Path | None, log: Path, now: datetime) -> KeysStatus:
    """Look at every key that a policy lists, and at what the log knows of them.

    Raises PolicyError, UsageError and UndecidedError.
    """
    program = require_gpg(gpg)
    draft = read_draft(policy)
    listed = draft.policy.openpgp_keys()
    known: dict[str, Key] = {}
    if listed:
        with private_home(program) as home:
            known = import_keys(home, listed, draft.keys, now)
    secrets = _secrets(program, key_file) if listed else {}
    found = []
    for signer in draft.policy.signers:
        for entry in signer.openpgp:
            parts = [key for key in known.values() if key.primary == entry.fingerprint]
            parts.sort(key=lambda key: key.fingerprint != key.primary)
            user_ids = parts[0].user_ids
            weak = next((problem for key in parts if (problem := weakness(key))), "")
            found.append(
                KeyStatus(
                    signer.name, entry.fingerprint, user_ids[0] if user_ids else "", str(entry.until_version or ""),
                    str(draft.path.parent / f"{entry.fingerprint}.asc"),
                    tuple(_part(key, secrets) for key in parts), weak,
                )
            )  # fmt: skip
    unlisted = sorted(
        each.name
        for each in draft.folder.glob("*.asc")
        if each.stem not in draft.keys and each.name != "SHA256SUMS.asc"
    )
    warnings = tuple(f"{name} is not the file of a listed key" for name in unlisted[:20])
    warnings += find_unraised(draft.policy, draft.content, draft.keys, log)
    return KeysStatus(str(policy), draft.policy.version, now, tuple(found), warnings)


def _secrets(program: str, key_file: Path | None) -> dict[str, str]:
    if key_file is None:
        return {key.fingerprint: key.secret for key in Keyring(program).secret_keys()}
    content = read_key_file(key_file)
    with private_home(program) as home:
        keyring = Keyring(program, home.folder)
        keyring.import_key(content)
        return {key.fingerprint: key.secret for key in keyring.secret_keys()}


def _part(key: Key, secrets: dict[str, str]) -> PartStatus:
    secret = secrets.get(key.fingerprint, "")
    state = "revoked" if key.revocations else _STATES.get(key.usable, "invalid" if key.usable in UNUSABLE else "valid")
    return PartStatus(
        fingerprint=key.fingerprint,
        primary=key.fingerprint == key.primary,
        may=tuple(word for letter, word in _MAY.items() if letter in key.capabilities),
        algorithm=f"{_ALGORITHMS.get(key.algorithm, f'algorithm {key.algorithm}')} {key.bits}",
        expires=key.expires,
        state=state,
        reasons=tuple(sorted({reason.name.lower().replace("_", " ") for reason in key.revocations})),
        secret="here" if secret == HERE else "elsewhere" if secret in ("", NOT_HERE) else "card",
    )
