"""Calling a release back: a statement that any one signer of the policy signs, added to the trust folder.

Enters: a trust folder, facts, something to sign with. Leaves: keys/withdrawn.json with one entry more, whole or not at
all. A statement that is there and counts is not signed again, so that a run that was interrupted goes on where it was.
What was signed is judged as users will judge it, before it is written.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import PolicyError, UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import UnfitFileError, read_bounded, reason
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.openpgp import signer_listed_as
from sealwright.jobs.seal.task import Announcement, OpenSigner, SigstoreMeans
from sealwright.model.withdrawal import (
    MAX_ENTRIES,
    MAX_WITHDRAWN_BYTES,
    WITHDRAWN,
    SignedWithdrawal,
    Withdrawal,
    render_withdrawals,
)
from sealwright.sign.identity import no_identity
from sealwright.sign.sigstore import SigstoreSigner
from sealwright.store.release_writing import locked
from sealwright.store.trust_folder import TrustFolder
from sealwright.store.trust_sums_writing import update_sums
from sealwright.store.trusted_root import read_root
from sealwright.verify.withdrawn import WithdrawalJudge, judge_withdrawal, read_statement, read_withdrawals


class Outcome(NamedTuple):
    """The withdrawal that stands, who signed it, whether by this run, and whether SHA256SUMS was written, too."""

    withdrawal: Withdrawal
    signer: str
    signed_now: bool = False
    sums_written: bool = False


def build_withdrawal(
    trust: TrustFolder, version: str, reason: str, replacement: str, advisory: str, now: datetime
) -> Withdrawal:
    """Return the withdrawal of a version, perhaps without a reason yet.

    Raises UsageError for a version that is none, or a text that cannot stand.
    """
    from packaging.version import InvalidVersion, Version

    try:
        this, other = Version(version), Version(replacement) if replacement else None
    except (InvalidVersion, ValueError) as error:
        raise UsageError(
            f"{str(error)[:200]} (PEP 440)", "For instance: sealwright withdraw 1.2.3 --reason …"
        ) from error
    if this == other:
        raise UsageError(f"{version} cannot replace itself", "Name another version with --replacement.")
    time = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    made = Withdrawal(trust.policy.project, str(this), reason.strip(), str(other or ""), advisory.strip(), time)
    try:
        made._replace(reason=made.reason or "-").to_bytes()
    except ValueError as error:
        raise UsageError(f"the withdrawal has {error}", "Give one line of at most 1,000 characters.") from error
    return made


def find_standing(trust: TrustFolder, wanted: Withdrawal, judge: WithdrawalJudge) -> Outcome | None:
    """Return the withdrawal in the trust folder that says the same as `wanted` and counts, or None.

    Without a reason in `wanted`, any of that version. Raises PolicyError.
    """
    for entry in _read(trust.path.resolve().parent):
        try:
            there = read_statement(entry.statement)
        except ValueError:
            continue
        same = there._replace(time=wanted.time) == wanted
        if (same or (not wanted.reason and there.version == wanted.version)) and (
            signer := judge_withdrawal(entry, judge).signer
        ):
            return Outcome(there, signer)
    return None


def judge_of(trust: TrustFolder, now: datetime, gpg: str | None) -> WithdrawalJudge:
    """Return what judges a withdrawal as a user's verification does."""
    root = read_root(trust) if trust.policy.sigstore_identities() else None
    return WithdrawalJudge(trust.policy, trust.keys, root, now, gpg)


def withdraw(
    trust: TrustFolder, wanted: Withdrawal, sign: Callable[[Withdrawal], SignedWithdrawal], judge: WithdrawalJudge
) -> Outcome:
    """Sign a withdrawal and add it to the trust folder. Raises UsageError if it would not count; nothing is written."""
    folder = trust.path.resolve().parent
    signed = sign(wanted)
    judged = judge_withdrawal(signed, judge)
    if not judged.signer:
        raise UsageError(f"this withdrawal would not count: {judged.problem}", "Nothing was written.")
    try:
        with locked(folder):
            entries = (*_read(folder), signed)
            content = render_withdrawals(entries)
            if len(entries) > MAX_ENTRIES or len(content) > MAX_WITHDRAWN_BYTES:
                raise UsageError(f"{folder / WITHDRAWN} is full", f"It takes {MAX_ENTRIES} withdrawals.")
            write_whole(folder / WITHDRAWN, content)
            sums_written = update_sums(folder, WITHDRAWN, content)
    except OSError as error:
        raise UndecidedError(f"{folder / WITHDRAWN} cannot be written: {reason(error)}") from error
    return Outcome(wanted, judged.signer, True, sums_written)


def by_openpgp(open_signer: OpenSigner, trust: TrustFolder) -> Callable[[Withdrawal], SignedWithdrawal]:
    """Return what signs with an OpenPGP key that the policy lists."""

    def sign(withdrawal: Withdrawal) -> SignedWithdrawal:
        content = withdrawal.to_bytes()
        with private_folder(base_for(len(content)), "sealwright-withdrawal-") as folder, open_signer() as signer:
            signer_listed_as(signer, trust)
            (folder / WITHDRAWN).write_bytes(content)
            block = signer.sign(folder / WITHDRAWN)
        return SignedWithdrawal(content.decode("ascii"), openpgp=(block.decode("ascii"),))

    return sign


def by_sigstore(means: SigstoreMeans) -> Callable[[Withdrawal], SignedWithdrawal]:
    """Return what signs with Sigstore, as the identity of this job or person, once it was confirmed."""

    def sign(withdrawal: Withdrawal) -> SignedWithdrawal:
        content = withdrawal.to_bytes()
        identity = means.identity(means.services)
        if identity is None:
            raise no_identity()
        services = means.services()
        what = (f"the withdrawal of {withdrawal.version}",)
        signer = SigstoreSigner(services, identity, means.renew, patience=means.patience)
        means.confirm(Announcement(identity.name, identity.oidc_issuer, services.name, what))
        bundle = signer.sign(digest_bytes(content), what[0])
        return SignedWithdrawal(content.decode("ascii"), sigstore=(bundle.decode("utf-8").strip(),))

    return sign


def _read(folder: Path) -> tuple[SignedWithdrawal, ...]:
    path = folder / WITHDRAWN
    try:
        return read_withdrawals(read_bounded(path, MAX_WITHDRAWN_BYTES))
    except FileNotFoundError:
        return ()
    except UnfitFileError as error:
        raise PolicyError(f"{path} is {error}") from error
    except ValueError as error:
        raise PolicyError(f"{path} cannot be added to: it is {error}", "Restore it from the repository.") from error


def write_drafts(folder: Path, drafts: dict[str, str]) -> None:
    """Write the texts that go elsewhere, each by its name; one that is there already is kept, as it may be edited."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in drafts.items():
            if not (folder / name).exists():
                write_whole(folder / name, text.encode())
    except OSError as error:
        raise UndecidedError(
            f"{folder} cannot be written: {reason(error)}", "Name another folder with --out."
        ) from error
