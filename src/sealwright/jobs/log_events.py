"""What is worth a line of the audit log: a verdict that is no pass, a sealing, its signatures, the policy it was under.

Enters: verdicts and sealings, the actor, the time. Leaves: `Event`s. Writes nothing; sealwright.cli.record does.
"""

import contextlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sealwright.errors import ExitCode, SealwrightError, UsageError
from sealwright.jobs.unraised import judging_files
from sealwright.model.artifact_verdict import ArtifactVerdict
from sealwright.model.log_entry import Action, Actor, Event
from sealwright.model.verdict import Check, Outcome, Verdict
from sealwright.store.log_reading import find_last
from sealwright.store.release_writing import digest_stored

if TYPE_CHECKING:
    from sealwright.jobs.seal.seal import Sealed
    from sealwright.model.audit import AuditResult
    from sealwright.store.trust_folder import TrustFolder

_MOST = 50  # names of artifacts, signatures and checks in one line; the rest is counted
_MOST_SIGNATURES = 2000
_SIGNATURES = (".asc", ".sigstore.json", ".intoto.jsonl", ".publish.attestation")
_FOLDER = "trust folder"


class By(NamedTuple):
    """Who did it, and when (UTC)."""

    actor: Actor
    now: datetime


def verdict_events(verdict: Verdict, by: By) -> tuple[Event, ...]:
    """Return one line for a verdict that is no pass, and none for a pass."""
    if verdict.exit_code is ExitCode.DONE:
        return ()
    detail = (
        ("code", str(int(verdict.exit_code))),
        ("folder", verdict.folder),
        *_policy_of(verdict),
        *_wrong(verdict.checks),
    )
    name = f"{verdict.project} {verdict.version}".strip()
    outcome = verdict.result.value
    return (Event(by.now, by.actor, Action.VERIFICATION_FAILED, name, outcome, _digests(verdict), detail),)


def artifact_events(verdict: ArtifactVerdict, by: By) -> tuple[Event, ...]:
    """Return one line for the verdict on a single file that is no pass, and none for a pass."""
    if verdict.exit_code is ExitCode.DONE:
        return ()
    detail = (("code", str(int(verdict.exit_code))), ("identity", verdict.identity), *_wrong(verdict.checks))
    digests = (("file", verdict.sha256),) if verdict.sha256 else ()
    return (Event(by.now, by.actor, Action.VERIFICATION_FAILED, verdict.file, verdict.result.value, digests, detail),)


def seal_events(
    sealed: "Sealed", trust: "TrustFolder", log: Path, out: Path, doubts: tuple[str, ...], by: By
) -> tuple[Event, ...]:
    """Return the lines of a sealing: a policy that is another than last time, doubts set aside, signatures, the seal.

    A run that had nothing to do has its line, too: it says what of the last one, which may have been killed, is there.
    """
    verdict = sealed.verdict
    name = f"{verdict.project} {verdict.version}".strip()
    events = list(policy_events(trust, log, by))
    if doubts:
        set_aside = (("option", "--allow-doubts"), ("doubts", "; ".join(doubts)))
        outcome = "doubts about the build set aside"
        events.append(Event(by.now, by.actor, Action.OVERRIDE, name, outcome, (), set_aside))
    signers = ", ".join(sorted(sealed.signers)) or "as the certificate says"
    events += _sign_events(sealed.written, out, (("release", name), ("signers", signers)), by)
    outcome = "sealed" if verdict.exit_code is ExitCode.DONE else "waits for other signers"
    if not sealed.waiting and verdict.exit_code is not ExitCode.DONE:
        outcome = "FAILED"
    detail = (
        ("folder", str(out)),
        ("written", str(len(sealed.written))),
        ("code", str(int(verdict.exit_code))),
        *_policy_of(verdict),
        *(() if outcome != "FAILED" else _wrong(verdict.checks)),
    )
    events.append(Event(by.now, by.actor, Action.SEAL, name, outcome, _digests(verdict), detail))
    return tuple(events)


def unfinished_events(
    trust: "TrustFolder", out: Path, before: frozenset[tuple[str, int]], error: BaseException, by: By
) -> tuple[Event, ...]:
    """Return the lines of a sealing that ended with an exception: what it had signed until then, and why it ended."""
    project = trust.policy.project
    made = sorted(name for name, _ in list_signatures(out) - before)
    if isinstance(error, UsageError) and not made:
        return ()  # nothing was begun
    why = error.message if isinstance(error, SealwrightError) else type(error).__name__
    detail = (("folder", str(out)), ("why", why), ("signatures", str(len(made))))
    seal = Event(by.now, by.actor, Action.SEAL, project, "not finished", (), detail)
    return (*_sign_events(made, out, (("release", project),), by), seal)


def list_signatures(out: Path) -> frozenset[tuple[str, int]]:
    """Return the names and sizes of the files of signatures in a folder, which need not be there."""
    found = set()
    with contextlib.suppress(OSError), os.scandir(out) as entries:
        for entry in entries:
            if entry.name.endswith(_SIGNATURES):
                found.add((entry.name, entry.stat(follow_symlinks=False).st_size))
    return frozenset(found)


def _sign_events(names: Iterable[str], out: Path, detail: tuple[tuple[str, str], ...], by: By) -> list[Event]:
    """One line for each file of signatures that was written."""
    events = []
    for name in [file for file in names if file.endswith(_SIGNATURES)][:_MOST_SIGNATURES]:
        stored = None
        with contextlib.suppress(OSError):  # it was written a moment ago: the verdict says what became of it
            stored = digest_stored(out / name)
        digests = ((name, stored.sha256),) if stored else ()
        events.append(Event(by.now, by.actor, Action.SIGN, name, "signed", digests, detail))
    return events


def policy_events(trust: "TrustFolder", log: Path, by: By) -> tuple[Event, ...]:
    """Return a line if the trust folder is another than the one the end of the log names last for this project."""
    project, fingerprint = trust.policy.project, trust.fingerprint
    last = find_last(log, Action.POLICY, project)
    before = str(last["object"]["sha256"].get(_FOLDER, "")) if last else ""
    if before == fingerprint:
        return ()
    detail = (("version", str(trust.policy.version)), ("file", str(trust.path)), ("before", before or "not known"))
    outcome = "changed" if before else "in use"
    digests = ((_FOLDER, fingerprint), *judging_files(trust.content, trust.keys))
    return (Event(by.now, by.actor, Action.POLICY, project, outcome, digests, detail),)


def written_events(
    paths: Iterable[Path], action: Action, outcome: str, by: By, detail: tuple[tuple[str, str], ...] = ()
) -> tuple[Event, ...]:
    """Return one line for each file that was written: a policy, a layout or a link that was signed."""
    events = []
    for path in paths:
        stored = digest_stored(path)
        digests = ((path.name, stored.sha256),) if stored else ()
        events.append(Event(by.now, by.actor, action, str(path), outcome, digests, detail))
    return tuple(events)


def ignore_events(result: "AuditResult", by: By) -> tuple[Event, ...]:
    """Return a line that names the findings of an audit that were set aside, and why; none if none was."""
    set_aside = [
        (f"{finding.ids[0]} {audited.dependency.name}", finding.ignored)
        for audited in result.audited
        for finding in audited.findings
        if finding.ignored
    ]
    if not set_aside:
        return ()
    detail = (("set aside", str(len(set_aside))), *dict(set_aside[:_MOST]).items())
    return (Event(by.now, by.actor, Action.OVERRIDE, f"audit of {result.target}", "findings set aside", (), detail),)


def _policy_of(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    return (("policy", verdict.policy.path), ("policy fingerprint", verdict.policy.fingerprint))


def _digests(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What was judged; of very many artifacts, the first ones."""
    return tuple((artifact.name, artifact.sha256) for artifact in verdict.artifacts[:_MOST])


def _wrong(checks: tuple[Check, ...]) -> tuple[tuple[str, str], ...]:
    decided = [c for c in checks if c.outcome is Outcome.UNDECIDED or (c.outcome is Outcome.FAIL and c.costs)]
    found = [f"{check.id} of {check.subject}: {check.got}" for check in decided]
    return _numbered("check", found)


def _numbered(what: str, texts: list[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of a name with a number and a text: a few, and how many there were."""
    few = texts[: _MOST // 2]
    more = ((f"{what}s in all", str(len(texts))),) if len(texts) > len(few) else ()
    return (*((f"{what} {number}", text) for number, text in enumerate(few, 1)), *more)
