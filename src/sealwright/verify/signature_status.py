"""GnuPG as the judge of single signatures: run it, and read every status line it writes.

Enters: signature packets, each with the file it should have signed. Leaves: a `Finding` for each. Only what gpg
says without reservation is good: exit codes are not read, because gpg 2.2 exits 0 for expired and for revoked
keys. Status lines: doc/DETAILS of GnuPG.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath

from sealwright.errors import UndecidedError
from sealwright.files.threads import PROCESSORS
from sealwright.gnupg.home import Home, at_time
from sealwright.model.record import Record

_BYTES_PER_SECOND = 20_000_000  # a slow machine's hashing; only bounds how long gpg may take
_MOST_PROCESSES = 4
_WORTH_A_PROCESS = 10
_DIGESTS = {"8": "SHA-256", "9": "SHA-384", "10": "SHA-512", "12": "SHA3-256", "14": "SHA3-512"}
_WEAK_DIGESTS = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160", "11": "SHA-224"}
_BINARY = "00"
EXPIRED = "the key has expired"
_JUDGEMENTS = ("GOODSIG", "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG")
# Lines that never stand beside a signature that counts.
_ALARMS = ("NODATA", "UNEXPECTED", "FAILURE", "ERROR", "KEYEXPIRED", "SIGEXPIRED", "BADARMOR", "INV_SGNR")


class Request(Record):
    """One signature packet, and the file whose bytes it should have signed."""

    packet: bytes
    data: PurePath


class Finding(Record):
    """What gpg said of one signature.

    `problem` is empty for a good one. `primary` and `signing` are full fingerprints, and only set where gpg
    verified the signature's mathematics; `claimed` is what the signature says of its maker, proved by nothing.
    """

    problem: str
    primary: str = ""
    signing: str = ""
    claimed: str = ""
    revoked: bool = False
    made: datetime | None = None


def judge_signatures(home: Home, requests: list[Request], now: datetime) -> list[Finding]:
    """Judge every request with the keys of `home`, at the time `now` (UTC). Raises UndecidedError."""
    with start_judging(home, requests, now) as findings:
        return findings()


@contextlib.contextmanager
def start_judging(home: Home, requests: list[Request], now: datetime) -> Iterator[Callable[[], list[Finding]]]:
    """Have every request judged beside the body; what is yielded waits for the findings. Both raise UndecidedError.

    Many signatures share one gpg process; one for which that process gave no complete answer is judged again
    in a process of its own, so that no signature can take the answer of another away.
    """
    folder = Path(tempfile.mkdtemp(prefix="signatures-", dir=home.folder))  # one for each time that it is asked
    processes = max(1, min(_MOST_PROCESSES, PROCESSORS, len(requests) // _WORTH_A_PROCESS))
    size = max(1, -(-len(requests) // processes))
    batches = [range(start, min(start + size, len(requests))) for start in range(0, len(requests), size)]
    with contextlib.ExitStack() as running:
        waiting = []
        for batch in batches:
            for number in batch:
                with open(f"{folder}/{number}.sig", "xb", buffering=0) as stream:
                    stream.write(requests[number].packet)
                os.symlink(requests[number].data, f"{folder}/{number}")
            seconds = 60 + sum(os.stat(requests[n].data).st_size for n in batch) / _BYTES_PER_SECOND
            # Not --batch: without a terminal it only means that gpg would not look for N beside N.sig.
            arguments = [*at_time(now), "--status-fd", "1", "--verify-files", *(f"{number}.sig" for number in batch)]
            waiting.append(running.enter_context(home.start(arguments, seconds=seconds, folder=folder)))

        @cache
        def findings() -> list[Finding]:
            answers: dict[int, list[list[str]]] = {}
            try:
                for said in waiting:
                    answers |= _by_file(said())
            except UndecidedError:
                answers = {}  # each alone, below, tells which one it was
            return [
                read_status(answers[n]) if n in answers else _judge_alone(home, folder, n, request, now)
                for n, request in enumerate(requests)
            ]

        yield findings


def _judge_alone(home: Home, folder: Path, number: int, request: Request, now: datetime) -> Finding:
    seconds = 60 + os.stat(request.data).st_size / _BYTES_PER_SECOND
    arguments = [*at_time(now), "--batch", "--status-fd", "1", "--verify", f"{number}.sig", f"{number}"]
    return read_status(_lines(home.run(arguments, seconds=seconds, folder=folder)))


def _lines(output: bytes) -> list[list[str]]:
    prefix = "[GNUPG:] "
    text = output.decode("utf-8", "replace").split("\n")
    return [line.removeprefix(prefix).split(" ") for line in text if line.startswith(prefix)]


def _by_file(output: bytes) -> dict[int, list[list[str]]]:
    """Give each file its own lines; a file whose lines were not ended by FILE_DONE has no answer."""
    answers: dict[int, list[list[str]]] = {}
    current: int | None = None
    lines: list[list[str]] = []
    for line in _lines(output):
        if line[0] == "FILE_START":
            current, lines = int(line[-1].removesuffix(".sig")), []
        elif line[0] == "FILE_DONE" and current is not None:
            answers[current], current, lines = lines, None, []  # what gpg says at its end belongs to no file
        else:
            lines.append(line)
    return answers


def read_status(lines: list[list[str]]) -> Finding:
    """Turn the status lines of one signature into a finding."""
    judgements = [line for line in lines if line[0] in _JUDGEMENTS]
    valid = [line for line in lines if line[0] == "VALIDSIG"]
    if len(judgements) != 1:
        return Finding("gpg found no signature that it could judge")
    judgement = judgements[0]
    if judgement[0] == "ERRSIG":
        return _read_errsig(judgement)
    if judgement[0] == "BADSIG":
        return Finding("not a signature of these bytes", claimed=judgement[1] if len(judgement) > 1 else "")
    if len(valid) != 1 or len(valid[0]) < 11:
        return Finding("gpg did not call it valid")
    _, signing, _, made, _, version, _, _, digest, signature_class, primary, *_ = valid[0]
    problem = _problem(lines, judgement[0], version, digest, signature_class)
    when = datetime.fromtimestamp(int(made), UTC) if made.isdigit() else None
    return Finding(problem, primary, signing, primary, judgement[0] == "REVKEYSIG", when)


def _problem(lines: list[list[str]], judgement: str, version: str, digest: str, signature_class: str) -> str:
    """Say what speaks against a signature whose mathematics is right. A revoked key is left to the policy."""
    alarms = {line[0] for line in lines} & set(_ALARMS)
    match judgement:
        case "EXPSIG":
            return "the signature has expired"
        case "EXPKEYSIG":
            return EXPIRED
    if alarms:
        return f"gpg raised {', '.join(sorted(alarms))}"
    if signature_class != _BINARY:
        return f"a signature of class {signature_class}; only binary documents (00) count"
    if digest not in _DIGESTS:
        return f"made with {_WEAK_DIGESTS.get(digest, f'digest {digest}')}; SHA-256 or stronger is required"
    if not version.isdigit() or int(version) < 4:
        return f"a signature of the obsolete version {version}"
    return ""


def _read_errsig(line: list[str]) -> Finding:
    """ERRSIG keyid pkalgo hashalgo class time rc fingerprint: the mathematics was not, or could not be, checked."""
    fields = line + [""] * (8 - len(line))
    key_id, digest, signature_class, code, fingerprint = fields[1], fields[3], fields[4], fields[6], fields[7]
    claimed = fingerprint if fingerprint not in ("", "-") else key_id
    if digest in _WEAK_DIGESTS:
        return Finding(f"made with {_WEAK_DIGESTS[digest]}; SHA-256 or stronger is required", claimed=claimed)
    if signature_class != _BINARY:
        return Finding(f"a signature of class {signature_class}; only binary documents (00) count", claimed=claimed)
    if code == "9":
        return Finding("by a key that the policy does not list", claimed=claimed)
    return Finding(f"gpg cannot check it (error {code})", claimed=claimed)
