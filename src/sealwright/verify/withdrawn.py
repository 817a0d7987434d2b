"""What a project has called back: statements in withdrawn.json, held against the policy like any other evidence.

Enters: files that may be hostile, a policy, its keys and root, the time. Leaves: checks, and the withdrawals that
count: any one signer of the policy suffices, and nobody else can withdraw anything. Each entry is judged by itself, so
that none hides another; one that does not count is reported and costs nothing. docs/withdraw.md
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.files.digest import digest_bytes
from sealwright.files.private import base_for, private_folder
from sealwright.files.strict_json import read_json
from sealwright.gnupg.home import GNUPG_HINT
from sealwright.model.policy import Policy
from sealwright.model.release import Release, ReleaseFile, bundle_name
from sealwright.model.trusted_root import TrustedRootFile
from sealwright.model.verdict import Check, Outcome
from sealwright.model.withdrawal import (
    MAX_ENTRIES,
    MAX_WITHDRAWN_BYTES,
    STATEMENT_TYPE,
    WITHDRAWN,
    SignedWithdrawal,
    Withdrawal,
)
from sealwright.verify.armor import split_signatures
from sealwright.verify.openpgp import check_openpgp

if TYPE_CHECKING:
    from packaging.version import Version

_CLAUSE = "docs/withdraw.md"
_EXPECTED = "a withdrawal that a signer of the policy has signed"
_NAME = "withdrawal"
_MOST_SIGNATURES = 5  # of an entry, and of one text
_TOO_MANY = f"more than {_MOST_SIGNATURES} signatures in one text; none was judged"
_MAX_COMMAS = 200_000  # those in the bundles count, too
_KEYS = {"_type", "schema", *Withdrawal._fields}


class WithdrawalJudge(NamedTuple):
    """By what a withdrawal is judged: as a release is, and at the same time `now` (UTC)."""

    policy: Policy
    keys: dict[str, bytes]
    root: TrustedRootFile | None
    now: datetime
    gpg: str | None


class WithdrawnFindings(NamedTuple):
    """The checks, and the withdrawals that count, of whatever version."""

    checks: tuple[Check, ...]
    found: tuple[Withdrawal, ...]


class Judgement(NamedTuple):
    """Who has signed a withdrawal (empty: nobody who counts), else why not, and whether gpg could have told more."""

    signer: str
    problem: str = ""
    unknown: bool = False


class _Stated(NamedTuple):
    signed: SignedWithdrawal
    withdrawal: Withdrawal


def check_withdrawn(
    offered: Sequence[tuple[str, bytes]], judge: WithdrawalJudge, remembered: tuple[Withdrawal, ...],
    version: "Version | None",
) -> WithdrawnFindings:  # fmt: skip
    """Judge each withdrawn.json of `offered` (where it lies, and it), and whether one, or memory, calls `version` back.

    Two that are said to lie in one place are two: neither may stand for the other.
    """
    checks: list[Check] = []
    found: list[Withdrawal] = []
    unknown: list[Withdrawal] = []
    for place, content in offered:
        stated, problems = _read(f"{WITHDRAWN} {place}", content, judge.policy.project)
        checks += problems
        known = {*remembered, *found}
        new = {subject: entry for subject, entry in stated.items() if entry.withdrawal not in known}
        by_key = _by_openpgp(new, judge)
        for subject, entry in stated.items():
            if subject in new:
                judged = _judge(entry, judge, by_key.get(subject))
            else:
                judged = Judgement("a signer, as was found before")
            checks.append(_judged(subject, entry.withdrawal, judged))
            if judged.signer and entry.withdrawal not in (*remembered, *found):
                found.append(entry.withdrawal)
            elif judged.unknown:
                unknown.append(entry.withdrawal)
    if version is not None:
        checks.append(_check_version(version, (*remembered, *found), tuple(unknown)))
    return WithdrawnFindings(tuple(checks), tuple(found))


def judge_withdrawal(signed: SignedWithdrawal, judge: WithdrawalJudge) -> Judgement:
    """Tell for whom of the policy a withdrawal counts: any one signer, by a key or identity that is good today.

    Raises ValueError if its statement is none.
    """
    stated = {"withdrawal": _Stated(signed, read_statement(signed.statement))}
    return _judge(stated["withdrawal"], judge, _by_openpgp(stated, judge).get("withdrawal"))


def _read(name: str, content: bytes, project: str) -> tuple[dict[str, _Stated], list[Check]]:
    """Read the entries of a file that are about this project, and report the others: none of them hides another."""
    stated: dict[str, _Stated] = {}
    checks: list[Check] = []
    try:
        entries = read_withdrawals(content)
    except ValueError as error:
        return {}, [_reported(name, str(error))]
    for number, entry in enumerate(entries, 1):
        subject = f"{name} #{number}"
        try:
            withdrawal = read_statement(entry.statement)
        except ValueError as error:
            checks.append(_reported(subject, str(error)))
            continue
        if withdrawal.project == project:
            stated[subject] = _Stated(entry, withdrawal)
        else:
            checks.append(_reported(subject, f"of another project, {withdrawal.project}"))
    return stated, checks


def _check_version(version: "Version", found: tuple[Withdrawal, ...], unknown: tuple[Withdrawal, ...]) -> Check:
    """Versions are compared as versions: whoever calls back 1.0 calls back 1.0.0, too."""
    expected, check_id = "a release that its project has not withdrawn", "release.withdrawn"
    hits = [withdrawal for withdrawal in found if _same(withdrawal.version, version)]
    if hits:
        last = max(hits, key=lambda each: each.time)  # the last word, which may know a replacement
        got = f"withdrawn by its project: {last.reason}" + (f" ({last.advisory})" if last.advisory else "")
        hint = f"Use version {last.replacement} instead." if last.replacement else ""
        return Check(check_id, str(version), Outcome.FAIL, expected, got, _CLAUSE, ExitCode.WITHDRAWN, hint)
    if any(_same(withdrawal.version, version) for withdrawal in unknown):
        got = "a withdrawal is there, and without gpg nobody can tell whether it counts"
        outcome = Outcome.UNDECIDED
        return Check(check_id, str(version), outcome, expected, got, _CLAUSE, ExitCode.UNDECIDED, GNUPG_HINT)
    got = "no withdrawal of it was found"
    return Check(check_id, str(version), Outcome.PASS, expected, got, _CLAUSE, ExitCode.WITHDRAWN)


def _same(text: str, version: "Version") -> bool:
    from packaging.version import Version

    return Version(text) == version


def _judge(entry: _Stated, judge: WithdrawalJudge, by_key: Judgement | None) -> Judgement:
    if by_key and by_key.signer:
        return by_key
    signer, problem = _by_sigstore(entry, judge)
    if signer:
        return Judgement(signer)
    problems = [text for text in (by_key.problem if by_key else "", problem) if text]
    words = "; ".join(problems) or "signed by nobody whom the policy lists"
    return Judgement("", words, by_key is not None and by_key.unknown)


def _by_openpgp(stated: dict[str, _Stated], judge: WithdrawalJudge) -> dict[str, Judgement]:
    """Judge all OpenPGP signatures of a file at once, each by itself.

    A retired key calls nothing back, whatever its until-version: it has a successor.
    """
    signed = {subject: entry for subject, entry in stated.items() if entry.signed.openpgp}
    if not signed or not judge.policy.openpgp_keys():
        return {}
    if judge.gpg is None:
        missing = Judgement("", "gpg was not found, so its OpenPGP signature is not judged", unknown=True)
        return dict.fromkeys(signed, missing)
    files: list[ReleaseFile] = []
    targets: dict[str, str] = {}
    judged: dict[str, Judgement] = {}
    size = sum(len(entry.signed.statement) for entry in signed.values())
    with private_folder(base_for(size), "sealwright-withdrawal-") as folder:
        for number, (subject, entry) in enumerate(signed.items()):
            content = entry.signed.statement.encode()
            path = folder / f"statement-{number}"
            path.write_bytes(content)
            for count, armor in enumerate(entry.signed.openpgp):
                name, block = f"{path.name}.{count}", armor.encode()
                if len(split_signatures(block)) > _MOST_SIGNATURES:  # of all entries, there are no more than are judged
                    judged[subject] = Judgement("", _TOO_MANY)
                    continue
                targets[name] = subject
                files.append(ReleaseFile(name, len(content), digest_bytes(content), path, content))
                files.append(ReleaseFile(f"{name}.asc", len(block), digest_bytes(block), content=block))
        release = Release(WITHDRAWN, tuple(files))
        found = check_openpgp(release, tuple(targets), judge.policy, judge.keys, None, judge.now, judge.gpg)
    judged |= {targets[each.target]: Judgement(each.signer) for each in reversed(found.signed)}
    for check in found.checks:
        subject = targets.get(check.subject.split(" #")[0].removesuffix(".asc"), "")
        if subject and not (subject in judged and judged[subject].signer):
            before = judged[subject].problem if subject in judged else ""
            judged[subject] = Judgement("", f"{before}; {check.got}".removeprefix("; ")[:500])
    return judged


def _by_sigstore(entry: _Stated, judge: WithdrawalJudge) -> tuple[str, str]:
    """An identity with {version} in it is that of the version that is called back."""
    if not entry.signed.sigstore or judge.root is None:
        return "", ""
    from packaging.version import Version

    from sealwright.verify.sigstore import check_sigstore

    content = entry.signed.statement.encode()
    files = [ReleaseFile(_NAME, len(content), digest_bytes(content), content=content)]
    for number, bundle in enumerate(entry.signed.sigstore, 1):
        raw = bundle.encode("utf-8", "surrogatepass")  # what is no text fails as a bundle
        files.append(ReleaseFile(bundle_name(_NAME, number), len(raw), digest_bytes(raw), content=raw))
    release, version = Release(WITHDRAWN, tuple(files)), Version(entry.withdrawal.version)
    found = check_sigstore(release, (_NAME,), judge.policy, version, judge.root)
    if found.signed:
        return found.signed[0].signer, ""
    return "", "; ".join(check.got for check in found.checks)[:500]


def read_withdrawals(content: bytes) -> tuple[SignedWithdrawal, ...]:
    """Read withdrawn.json (docs/withdrawn.schema.json). Raises ValueError, whose text completes "it is …"."""
    if len(content) > MAX_WITHDRAWN_BYTES:
        raise ValueError(f"larger than {MAX_WITHDRAWN_BYTES:,} bytes")
    document = read_json(content, _MAX_COMMAS)
    if not isinstance(document, dict) or document.get("schema") != 1 or set(document) != {"schema", "withdrawals"}:
        raise ValueError("no list of withdrawals that this version can read")
    listed = document["withdrawals"]
    if not isinstance(listed, list) or len(listed) > MAX_ENTRIES:
        raise ValueError(f"no list of at most {MAX_ENTRIES} withdrawals")
    return tuple(_read_entry(entry) for entry in listed)


def _read_entry(entry: Any) -> SignedWithdrawal:
    """An entry that is none becomes an empty one, which is reported: it must not hide the others."""
    if not isinstance(entry, dict) or set(entry) - {"statement", "openpgp", "sigstore"}:
        return SignedWithdrawal("")
    statement, openpgp, sigstore = (entry.get(key, []) for key in ("statement", "openpgp", "sigstore"))
    lists = [texts for texts in (openpgp, sigstore) if isinstance(texts, list) and len(texts) <= _MOST_SIGNATURES]
    if not isinstance(statement, str) or len(lists) != 2 or not all(isinstance(t, str) for ts in lists for t in ts):
        return SignedWithdrawal("")
    if not all(text.isascii() for text in (statement, *openpgp)):
        return SignedWithdrawal("")
    return SignedWithdrawal(statement, tuple(openpgp), tuple(sigstore))


def read_statement(statement: str) -> Withdrawal:
    """Read the statement of a withdrawal, which has one spelling only. Raises ValueError."""
    from packaging.version import InvalidVersion, Version

    document = read_json(statement.encode("utf-8", "surrogatepass"), 100)
    if not isinstance(document, dict) or set(document) != _KEYS or document["_type"] != STATEMENT_TYPE:
        raise ValueError("no statement of a withdrawal")
    fields = [document[name] for name in Withdrawal._fields]
    if document["schema"] != 1 or not all(isinstance(field, str) for field in fields):
        raise ValueError("a statement that this version cannot read")
    withdrawal = Withdrawal(*fields)
    if withdrawal.to_bytes() != statement.encode():
        raise ValueError("a statement that is not spelled as it must be")
    try:
        Version(withdrawal.version)
    except InvalidVersion as error:
        raise ValueError(f"of {withdrawal.version!r}, which is no version") from error
    return withdrawal


def _judged(subject: str, withdrawal: Withdrawal, judged: Judgement) -> Check:
    outcome = Outcome.PASS if judged.signer else Outcome.FAIL
    got = f"{withdrawal.version}, by {judged.signer}" if judged.signer else f"{withdrawal.version}: {judged.problem}"
    return Check("withdrawal.signature", subject, outcome, _EXPECTED, got, _CLAUSE, ExitCode.DONE)


def _reported(subject: str, got: str) -> Check:
    return Check("withdrawal.signature", subject, Outcome.FAIL, _EXPECTED, got, _CLAUSE, ExitCode.DONE)
