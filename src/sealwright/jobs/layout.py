"""Making and signing a layout: who may run which step of the build, and what may come of it.

Enters: a plan, the trust folder, a maintainer's key. Leaves: root.layout, or one more signature in it. A signature is
judged as every verification will, before it is written.
"""

import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.gnupg.home import private_home, require_gpg
from sealwright.jobs.seal.openpgp import signer_listed_as
from sealwright.model.layout_plan import MAX_PLAN_BYTES, LayoutPlan, PlannedStep, parse_plan
from sealwright.model.policy import Policy
from sealwright.model.release import MAX_LAYOUT_BYTES
from sealwright.model.verdict import Check
from sealwright.sign.intoto import MAX_KEY_FILE_BYTES, signer_by_openpgp
from sealwright.sign.openpgp import OpenPGPSigner
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.layout import check_layout_signatures
from sealwright.verify.layout_metadata import BadMetadataError, Layout, is_step_name, read_layout
from sealwright.verify.policy_keys import import_keys

if TYPE_CHECKING:
    from sealwright.gnupg.home import Home

_PLAN_HINT = "docs/layout.md shows one: each [[step]] with who may run it, its command, and rules for its files."


class SignedLayout(NamedTuple):
    """A layout as it is now: whether anything was written, and a check for each signature and for the threshold."""

    written: bool
    checks: tuple[Check, ...]


def new_layout(plan_path: Path, path: Path, trust: TrustFolder, *, days: int, now: datetime, gpg: str | None) -> Layout:
    """Write an unsigned layout of the plan's steps to `path`, good for so many days, but no longer than the policy.

    Raises UsageError for a plan that cannot be used, or if there is a layout already.
    """
    if path.is_symlink() or path.exists():
        raise UsageError(f"{path} is already there, and is not overwritten", "Move it away to make a new one.")
    content = read_named(plan_path, MAX_PLAN_BYTES, "the plan", _PLAN_HINT)
    try:
        made = _build(
            parse_plan(content),
            plan_path.parent,
            trust,
            min(now + timedelta(days=days), trust.policy.expires),
            now,
            gpg,
        )
        read = read_layout(made)
    except (PolicyError, BadMetadataError) as error:
        raise PolicyError(f"{plan_path}: {error}", getattr(error, "hint", "") or _PLAN_HINT) from error
    _write(path, made)
    return read


def sign_layout(
    path: Path, trust: TrustFolder, signer: OpenPGPSigner, *, now: datetime, gpg: str | None
) -> SignedLayout:
    """Add the signature of a maintainer of the policy, unless a valid one of the same key is there.

    Raises UsageError if the layout could never verify, or the signature would not count.
    """
    from in_toto.models.metadata import Metablock

    name, program = signer_listed_as(signer, trust), require_gpg(gpg)
    content = read_named(path, MAX_LAYOUT_BYTES, "the layout")
    layout = read_layout_file(path)
    _refuse_unfit(path, layout, trust.policy, now)
    signed, checks = check_layout_signatures(content, trust.policy, trust.keys, None, now, program)
    if signer.fingerprint in signed:
        return SignedLayout(False, checks)
    metadata = Metablock(signed=layout.parsed, signatures=list(layout.signatures))
    metadata.create_signature(signer_by_openpgp(signer))
    made = f"{metadata}\n".encode()
    signed, checks = check_layout_signatures(made, trust.policy, trust.keys, None, now, program)
    if signer.fingerprint not in signed:
        wrong = next((check.got for check in reversed(checks[:-1])), "")
        raise UsageError(f"the signature of {name} would not count: {wrong}", "Nothing was written.")
    _write(path, made)
    return SignedLayout(True, checks)


def read_layout_file(path: Path) -> Layout:
    """Read a layout that a person named. Raises UsageError."""
    try:
        return read_layout(read_named(path, MAX_LAYOUT_BYTES, "the layout", "sealwright layout new makes one."))
    except BadMetadataError as error:
        raise UsageError(f"{path} is no layout: {error}") from error


def show_signers(path: Path, trust: TrustFolder, *, now: datetime, gpg: str | None) -> tuple[Check, ...]:
    """Return a check for each signature of a layout, and for the threshold."""
    content = read_named(path, MAX_LAYOUT_BYTES, "the layout")
    return check_layout_signatures(content, trust.policy, trust.keys, None, now, require_gpg(gpg))[1]


def _refuse_unfit(path: Path, layout: Layout, policy: Policy, now: datetime) -> None:
    """What no signature could make good is told before it is signed."""
    if layout.inspections:
        raise UsageError(f"{path} has inspections, which are refused wherever it is verified", "Make them steps.")
    if layout.expires <= now:
        raise UsageError(f"{path} has expired", "Make a new one: sealwright layout new.")
    if layout.expires > policy.expires:
        raise UsageError(
            f"{path} ends on {layout.expires:%Y-%m-%d}, later than the policy ({policy.expires:%Y-%m-%d})",
            "Make a new one, which ends with the policy, or renew the policy first.",
        )


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error


def _build(
    plan: LayoutPlan, folder: Path, trust: TrustFolder, expires: datetime, now: datetime, gpg: str | None
) -> bytes:
    """Make in-toto's layout: steps as planned, and the public keys of everybody who may run one."""
    from in_toto.models.layout import Layout as InTotoLayout
    from in_toto.models.metadata import Metablock

    layout = InTotoLayout(
        expires=f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        readme=f"How {trust.policy.project} is built, and who may run each step.",
    )
    with private_home(gpg) as home:
        import_keys(home, trust.policy.openpgp_keys(), trust.keys, now)
        layout.steps = [_build_step(step, plan, folder, trust.policy, home, layout) for step in plan.steps]
    layout.validate()
    return f"{Metablock(signed=layout)}\n".encode()


def _build_step(planned: PlannedStep, plan: LayoutPlan, folder: Path, policy: Policy, home: "Home", layout: Any) -> Any:
    from in_toto.models.layout import Step
    from in_toto.rulelib import unpack_rule

    if not is_step_name(planned.name):
        raise PolicyError(f"the step {planned.name!r} has a name that could be no name of a file")
    rules = []
    for key, texts in (("materials", planned.materials), ("products", planned.products)):
        try:
            rules.append([shlex.split(text) for text in texts])
            for rule in rules[-1]:
                unpack_rule(rule)
        except Exception as error:  # in-toto does not say what it raises
            raise PolicyError(
                f"a rule of the {key} of {planned.name} is none of in-toto's",
                "Such as: MATCH * WITH PRODUCTS FROM checkout",
            ) from error
    key_ids = [key_id for name in planned.run_by for key_id in _add_keys(name, plan, folder, policy, home, layout)]
    return Step(
        name=planned.name, pubkeys=key_ids, threshold=planned.threshold, expected_command=list(planned.command),
        expected_materials=rules[0], expected_products=rules[1],
    )  # fmt: skip


def _add_keys(name: str, plan: LayoutPlan, folder: Path, policy: Policy, home: "Home", layout: Any) -> list[str]:
    """Put the public keys of one person into the layout, and return their ids."""
    planned = next((key for key in plan.keys if key.name == name), None)
    if planned is not None:
        file = folder / planned.file
        content = read_named(file, MAX_KEY_FILE_BYTES, "the public key")
        return [layout.add_functionary_key(_read_public_key(content, file))["keyid"]]
    signer = next((signer for signer in policy.signers if signer.name == name), None)
    if signer is None or not signer.openpgp:
        raise PolicyError(
            f"{name} is neither a signer of the policy with an OpenPGP key, nor a [[functionary]] of the plan",
            _PLAN_HINT,
        )
    found = []
    for key in signer.openpgp:
        try:
            added = layout.add_functionary_key_from_gpg_keyid(key.fingerprint.lower(), str(home.folder))
        except Exception as error:  # in-toto does not say what it raises
            raise PolicyError(
                f"in-toto cannot use the OpenPGP key {key.fingerprint} ({type(error).__name__})",
                "It knows RSA, DSA and Ed25519; give them a key in a file, as a [[functionary]].",
            ) from error
        found.append(added["keyid"])
    return found


def _read_public_key(content: bytes, file: Path) -> dict[str, Any]:
    """Read a SubjectPublicKeyInfo in PEM as in-toto writes keys. Raises PolicyError, also for a private key."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = SSlibKey.from_crypto(load_pem_public_key(content))
    except Exception as error:  # two libraries, and bytes from anywhere
        raise PolicyError(
            f"{file} is no public key that in-toto can use", "openssl pkey -in step.pem -pubout -out step.pub"
        ) from error
    return key.to_dict() | {"keyid": key.keyid}
