"""Is this audit log whole, and who says so? And the signing of a checkpoint, which proves it later.

Enters: a log, checkpoint files, a trust folder, the time. Leaves: a `LogVerdict`, or a checkpoint file that somebody
should keep in another place than the log. Changes no line of a log.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.errors import ExitCode, UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.private import base_for, private_folder
from sealwright.files.reading import read_named, reason
from sealwright.files.writing import write_whole
from sealwright.gnupg.home import require_gpg
from sealwright.jobs.seal.openpgp import signer_listed_as
from sealwright.jobs.seal.task import OpenSigner
from sealwright.model.checkpoint import Checkpoint, Held, LogVerdict, parse_checkpoint
from sealwright.model.log_entry import Action, Actor, Event, write_time
from sealwright.model.release import OPENPGP_SUFFIX, Release, ReleaseFile
from sealwright.store.audit_log import append
from sealwright.store.log_reading import Chain, verify_chain
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.openpgp import check_openpgp

_MAX_CHECKPOINT_BYTES = 256 * 1024
_NAME = "checkpoint"


class Judge(NamedTuple):
    """Who judges checkpoints: the trust folder, the time in UTC, and where gpg is."""

    trust: TrustFolder
    now: datetime
    gpg: str | None


class _Claimed(NamedTuple):
    """A checkpoint as its file states it, and who of the policy signed it (empty: nobody)."""

    name: str
    checkpoint: Checkpoint | None
    signer: str = ""
    problem: str = ""


def checkpoint_beside(log: Path) -> Path:
    """Return where `make_checkpoint` puts a checkpoint unless it is told otherwise."""
    return log.with_name(log.name + ".checkpoint")


def verify_log(path: Path, checkpoints: tuple[Path, ...] = (), judge: Judge | None = None) -> LogVerdict:
    """Verify every line of the log, and hold it against signed checkpoints, for which there must be a `judge`.

    Raises UsageError for a file that is not there, and UndecidedError for one that cannot be read.
    """
    claimed = [_read_claimed(each, judge) for each in checkpoints] if judge else []
    wanted = frozenset(each.checkpoint.lines for each in claimed if each.checkpoint)
    chain = verify_chain(path, wanted)
    held = tuple(_hold(each, chain) for each in claimed)
    return LogVerdict(str(path), chain.lines, chain.head, chain.problem, chain.torn, chain.backwards, held)


def make_checkpoint(
    log: Path, out: Path, open_signer: OpenSigner, judge: Judge, actor: Actor
) -> tuple[LogVerdict, Checkpoint | None]:
    """Sign how long the log is and how it ends, write that to `out`, and say so in the log itself.

    A log that does not hold, or that does not hold against the checkpoint that is already at `out`, is not signed: the
    verdict says why. Raises UsageError and UndecidedError.
    """
    before = (out,) if out.exists() else ()
    verdict = verify_log(log, before, judge)
    if verdict.exit_code is not ExitCode.DONE:
        return verdict, None
    chain = verify_chain(log)
    if not chain.lines or chain.problem:
        raise UsageError(f"{log} holds no line that could be signed")
    made = Checkpoint(chain.lines, chain.first, chain.head, write_time(judge.now))
    signer, content = _sign(made, open_signer, judge)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, content)
    except OSError as error:
        raise UndecidedError(f"{out} cannot be written: {reason(error)}", "Name another file with --out.") from error
    detail = (("lines", str(made.lines)), ("signer", signer))
    append(log, Event(judge.now, actor, Action.CHECKPOINT, out.name, digests=(("head", made.head),), detail=detail))
    return verdict, made


def _sign(made: Checkpoint, open_signer: OpenSigner, judge: Judge) -> tuple[str, bytes]:
    """Return who signed, and the checkpoint file; a signature that would not count is an error."""
    line = made.to_bytes()
    with private_folder(base_for(len(line)), "sealwright-checkpoint-") as folder, open_signer() as signer:
        name = signer_listed_as(signer, judge.trust)
        (folder / _NAME).write_bytes(line)
        block = signer.sign(folder / _NAME)
    counted, problem = _who_signed(line, block, judge)
    if not counted:
        raise UsageError(f"a signature by {signer.fingerprint} would not count: {problem}", "Nothing was written.")
    return name, line + block


def _read_claimed(path: Path, judge: Judge) -> _Claimed:
    content = read_named(path, _MAX_CHECKPOINT_BYTES, "the checkpoint", "sealwright log checkpoint makes one.")
    line, _, signatures = content.partition(b"\n")
    try:
        checkpoint = parse_checkpoint(line + b"\n")
    except ValueError:
        return _Claimed(str(path), None, problem="no checkpoint of an audit log")
    signer, problem = _who_signed(line + b"\n", signatures, judge)
    return _Claimed(str(path), checkpoint, signer, problem)


def _who_signed(line: bytes, signatures: bytes, judge: Judge) -> tuple[str, str]:
    """Return the signer of the policy whose signature counts, or else what is wrong with those that are there."""
    if not signatures.strip():
        return "", "it has no signature"
    with private_folder(base_for(len(line)), "sealwright-checkpoint-") as folder:
        (folder / _NAME).write_bytes(line)
        files = (
            ReleaseFile(_NAME, len(line), digest_bytes(line), folder / _NAME, line),
            ReleaseFile(_NAME + OPENPGP_SUFFIX, len(signatures), digest_bytes(signatures), content=signatures),
        )
        trust, release = judge.trust, Release(str(folder), files)
        found = check_openpgp(release, (_NAME,), trust.policy, trust.keys, None, judge.now, require_gpg(judge.gpg))
    if found.signed:
        return found.signed[0].signer, ""
    return "", "; ".join(check.got for check in found.checks)[:500] or "nothing that could be judged"


def _hold(claimed: _Claimed, chain: Chain) -> Held:
    """Hold the log against one checkpoint: the line it names must be there, with the digest it names."""
    made = claimed.checkpoint
    if made is None or claimed.problem:
        lines, time = (made.lines, made.time) if made else (0, "")
        return Held(claimed.name, "", lines, time, f"not vouched for: {claimed.problem}", ExitCode.UNTRUSTED)
    problem = ""
    if chain.first != made.first:
        problem = "the log does not begin as the one that was signed"
    elif chain.lines < made.lines and not chain.problem:
        problem = f"the log was cut: it has {chain.lines:,} whole lines, and had {made.lines:,}"
    elif chain.heads.get(made.lines) != made.head:
        problem = f"line {made.lines:,} is not the one that was signed, or cannot be reached"
    code = ExitCode.TAMPERED if problem else ExitCode.DONE
    return Held(claimed.name, claimed.signer, made.lines, made.time, problem, code)
