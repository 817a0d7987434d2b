"""A verdict as a short text for a person: the answer, who vouched, what was not checked, what to do next.

Enters: a `Verdict`. Leaves: text, with ANSI colours and wrapped lines if asked for. Whatever came from outside goes
through `plain`, so that no name or claim can write to the terminal by itself.
"""

from sealwright.errors import ExitCode
from sealwright.model.record import Record
from sealwright.model.trusted_root import RootInUse
from sealwright.model.verdict import (
    COVERED,
    OPENPGP_THRESHOLD,
    SIGNERS_THRESHOLD,
    SIGSTORE_THRESHOLD,
    TODAY,
    UNCOVERED,
    Check,
    Outcome,
    PinInUse,
    PolicyInUse,
    Result,
    Use,
    Verdict,
    Vouching,
)
from sealwright.render.style import PLAIN as PLAIN
from sealwright.render.style import Style as Style
from sealwright.render.style import plain as plain
from sealwright.render.style import wrapped

_MOST = 12
_MOST_FOREIGN = 3
_INDENT = 15
_SHA256 = "sha256:"
_DIGEST = len(_SHA256) + 64
_COLOURS = {Result.PASSED: "\x1b[1;32m", Result.FAILED: "\x1b[1;31m", Result.UNDECIDED: "\x1b[1;33m"}
_HEADLINES = {Result.PASSED: "VERIFIED", Result.FAILED: "NOT VERIFIED", Result.UNDECIDED: "UNDECIDED"}
_SANDBOX = " (in a sandbox)"
_ATTESTED = ("release", "provenance", "sbom", "audit")
_STATEMENTS = tuple(f"attestation.{kind}" for kind in _ATTESTED)


class _Kind(Record):
    """A kind of signature that can be missing: which check says so, its name, and what its signers run."""

    threshold: str
    name: str
    command: str


_KINDS = (
    _Kind(OPENPGP_THRESHOLD, "OPENPGP", "sealwright seal --openpgp-key FINGERPRINT"),
    _Kind(SIGSTORE_THRESHOLD, "SIGSTORE", "sealwright seal --no-openpgp with Sigstore"),
)
_THRESHOLDS = {SIGNERS_THRESHOLD, OPENPGP_THRESHOLD, SIGSTORE_THRESHOLD}
_BOLD, _END = "\x1b[1m", "\x1b[0m"
_ADVICE = {
    ExitCode.TAMPERED: "Fetch the whole release again; if the answer is the same, tell the project.",
    ExitCode.UNTRUSTED: "Ask the project who signed this release, and whether it is complete.",
    ExitCode.MISSING: "Fetch the whole release again; if the files are missing there, too, ask the project.",
    ExitCode.WITHDRAWN: "The project has called this version back.",
    ExitCode.STALE: "Get the project's current policy and release, from where you trust them.",
    ExitCode.VULNERABLE: "Look for a newer release, or ask the project whether it is affected.",
    ExitCode.UNAUDITED: "Ask the project what its dependencies were held against.",
}
_OWN_ADVICE = {
    ExitCode.TAMPERED: "Find out who changed it; then seal what you built into a new folder (sealwright seal --out).",
    ExitCode.UNTRUSTED: "Seal what you built into a new folder, as a signer whom the policy lists.",
    ExitCode.MISSING: "Run sealwright seal again: it adds what is missing.",
    ExitCode.WITHDRAWN: "It has been called back: release another version.",
    ExitCode.STALE: "Bring the policy up to date, and raise its version.",
    ExitCode.VULNERABLE: "Upgrade what is affected, and build it again.",
    ExitCode.UNAUDITED: "Audit all of its dependencies, and seal it again with that audit.",
}
# What their hints say is to be done; to fetch the release again would help nobody.
_KNOW_BETTER = ("release.version", "policy.seen")


def headline(result: Result, *, sandbox: bool = False) -> str:
    """Return the first words of a verdict; a rehearsal's can never be taken for a real one."""
    return _HEADLINES[result] + (_SANDBOX if sandbox else "")


def say_root(root: RootInUse) -> list[str]:
    """Say which trusted root of Sigstore judged, how old it is, and what that means."""
    said = [root.name + (f"; its newest part is of {root.newest:%Y-%m-%d}" if root.newest else "")]
    if root.ended:
        said.append("it is past its use: all of its logs, or all of its authorities, have ended")
    if root.sandbox:
        said.append("it is that of a rehearsal, which anybody can run: outside of it, this verdict is worth nothing")
    return said


def render_verdict(verdict: Verdict, style: Style = PLAIN, *, use: Use = Use.NONE) -> str:
    """Write a verdict for who wants to install, as lines of text, ended by a newline."""
    first = headline(verdict.result, sandbox=verdict.sandbox)
    return _render(verdict, first, _COLOURS[verdict.result], _next_step(verdict, use), style)


def render_sealed(verdict: Verdict, waiting: bool, style: Style = PLAIN) -> str:
    """Write a verdict for who has just sealed; `waiting`: their part is good, and only other signers are missing."""
    suffix = _SANDBOX if verdict.sandbox else ""
    if waiting:
        required, counted = verdict.signers_required, _count(verdict)
        kinds = _missing_kinds(verdict)
        without = f", WITHOUT {' AND '.join(kind.name for kind in kinds)}" if kinds and counted >= required else ""
        first = f"SEALED BY {counted} OF {required}{without}{suffix}"
        return _render(verdict, first, _COLOURS[Result.UNDECIDED], _send(verdict), style, expected=True)
    if verdict.result is Result.PASSED:
        step = "nothing: this was a rehearsal" if verdict.sandbox else ""
        step = step or _publish(verdict)
        return _render(verdict, f"SEALED{suffix}", _COLOURS[Result.PASSED], step, style)
    return render_verdict(verdict, style, use=Use.OWN)


def _count(verdict: Verdict) -> int:
    return sum(signer.counted for signer in verdict.signers)


def _missing_kinds(verdict: Verdict) -> list[_Kind]:
    failed = {check.id for check in verdict.failed()}
    return [kind for kind in _KINDS if kind.threshold in failed]


def _send(verdict: Verdict) -> str:
    """Who has still to sign, and what they run."""
    required, counted, kinds = verdict.signers_required, _count(verdict), _missing_kinds(verdict)
    asked = [kind for kind in _KINDS if any(kind.threshold == check.id for check in verdict.checks)]
    missing = ", ".join(signer.name for signer in verdict.signers if not signer.counted)
    only = kinds and counted >= required  # signers enough, but not of that kind
    whom = "a signer of that kind" if only else f"{required - counted} more of: {missing}"
    how = ", or: ".join(kind.command for kind in kinds or asked)
    return f"send {verdict.folder} to {whom}. In a copy of the project, they run: {how}"


def _publish(verdict: Verdict) -> str:
    """What to do with a release that is complete; what no signature covers is not a part of it."""
    foreign = [check.subject for check in _unseen(verdict) if check.id == UNCOVERED and check.expected == COVERED]
    some = ", ".join(foreign[:_MOST_FOREIGN])
    more = f" and {len(foreign) - _MOST_FOREIGN} more" if len(foreign) > _MOST_FOREIGN else ""
    first = f"take {some}{more}, which no signature covers, out of {verdict.folder}; then " if foreign else ""
    what = "it" if foreign else verdict.folder
    return f"{first}publish every file in {what}, and the policy with its fingerprint in another place"


def _render(verdict: Verdict, title: str, colour: str, step: str, style: Style, *, expected: bool = False) -> str:
    """Write a verdict; `expected` leaves out what is still missing, because it is the other signers' to add."""
    first = f"{title}  {verdict.project} {verdict.version}".rstrip()
    lines = [f"{colour}{first}{_END}" if style.colour else first]
    for artifact in verdict.artifacts[:_MOST] if expected or not verdict.failed() else ():
        lines += [*entry("artifact", [artifact.name], style), f"    sha256:{artifact.sha256}"]
    if len(verdict.artifacts) > _MOST and (expected or not verdict.failed()):
        lines += entry("", [_more(len(verdict.artifacts))], style)
    lines += _problems(verdict, style) if not expected else []
    lines += entry("fetched from", list(verdict.places), style)
    lines += entry("vouched for", _signers(verdict), style)
    lines += entry("attested", _listed(_attested(verdict)), style)
    known = [c.got for c in verdict.checks if c.id == TODAY and c not in verdict.failed()]
    lines += entry("known today", known, style)
    lines += entry("also", _listed([f"{c.subject}: {c.got}" for c in _worth_saying(verdict)]), style)
    lines += entry("not checked", _listed([f"{c.subject}: {c.got}" for c in _unseen(verdict)]), style)
    lines += entry("warning", list(verdict.warnings), style)
    lines += entry("root", say_root(verdict.root), style) if verdict.root else []
    policy = verdict.policy
    lines += entry("policy", _say_policy(policy), style)
    lines += entry("fingerprint", [policy.fingerprint], style)
    lines += entry("next", [step], style, bold=True)
    return "\n".join(lines) + "\n"


def _say_policy(policy: PolicyInUse) -> list[str]:
    if policy.pin is None and not policy.version:
        return ["none: no publisher was accepted"]
    if policy.pin is None:
        return [f"{policy.path}, version {policy.version}, until {policy.expires:%Y-%m-%d}"]
    if policy.pin.first_use:
        pin = policy.pin
        return [
            f"none: trust on first use, since {_days_ago(pin)} ({pin.since:%Y-%m-%d}), from {pin.source}",
            "It can show that the publisher is still the one of then, and no more: nobody has vouched for them.",
        ]
    return [f"your pin, version {policy.version}, until {policy.expires:%Y-%m-%d}", _say_pin(policy.pin)]


def _days_ago(pin: PinInUse) -> str:
    return f"{pin.days} days ago" if pin.days > 1 else "yesterday" if pin.days else "today"


def _say_pin(pin: PinInUse) -> str:
    days = _days_ago(pin)
    return f"pinned {days} ({pin.since:%Y-%m-%d}), from {pin.source}"


def entry(label: str, texts: list[str], style: Style, *, bold: bool = False) -> list[str]:
    """Return texts under one label, each on a line of its own, wrapped if a width is given."""
    lines: list[str] = []
    for text in texts:
        safe = plain(text)
        lines += (wrapped(safe, style.width - _INDENT) or [""]) if style.width else [safe]
    # What cannot be broken, such as an address, starts further left where it would not fit.
    margins = [" " * (4 if style.width and len(line) > style.width - _INDENT else _INDENT) for line in lines]
    margins[:1] = [f"  {label:<{_INDENT - 2}}"] if lines else []
    on, off = (_BOLD, _END) if bold and style.colour else ("", "")
    return [f"{margin}{on}{line}{off}" for margin, line in zip(margins, lines, strict=False)]


def _listed(texts: list[str]) -> list[str]:
    return texts[:_MOST] + ([_more(len(texts))] if len(texts) > _MOST else [])


def _more(number: int) -> str:
    return f"and {number - _MOST} more; --json lists them all"


def _signers(verdict: Verdict) -> list[str]:
    counted = [signer for signer in verdict.signers if signer.counted]
    if not counted:
        return []  # the problems say so
    have, required = len(counted), verdict.signers_required
    return [
        f"{have} of {required} signers" if have <= required else f"{have} signers ({required} required)",
        *(f"{signer.name} ({_means(signer)})" for signer in counted),
    ]


def _means(signer: Vouching) -> str:
    """With which keys and identities a signer has vouched."""
    keys = [f"OpenPGP {', '.join(signer.by)}"] if signer.by else []
    return "; ".join(keys + ([f"Sigstore {', '.join(signer.identities)}"] if signer.identities else []))


def _attested(verdict: Verdict) -> list[str]:
    """What signed statements show, where they agree with everything they were held against."""
    if verdict.failed():
        return []
    passed = [check for check in verdict.checks if check.outcome is Outcome.PASS and check.id in _STATEMENTS]
    return [check.got for check in passed if check.subject not in _ATTESTED]


def _unseen(verdict: Verdict) -> list[Check]:
    return [check for check in verdict.not_checked() if check.id != TODAY]


def _problems(verdict: Verdict, style: Style) -> list[str]:
    lines: list[str] = []
    said = set(_own_advice(verdict))  # which stands under "next"
    others = {other.id for other in verdict.checks if other.outcome in (Outcome.FAIL, Outcome.UNDECIDED)}
    checks = [check for check in verdict.failed() + verdict.undecided() if not _follows(check, others)]
    for check in checks[:_MOST]:
        texts = _apart(f"{check.subject}: ", check.got, f"  [{check.id}]", "differs", style)
        texts += _apart("expected ", check.expected, "", "", style) if check.id not in said else []
        texts += [check.hint] if check.hint and check.hint not in said else []
        said |= {check.id, check.hint}
        lines += entry("problem", texts, style, bold=True)
    return lines + (entry("", [_more(len(checks))], style) if len(checks) > _MOST else [])


def _apart(before: str, said: str, after: str, instead: str, style: Style) -> list[str]:
    """Return a text in one piece; where a digest is too long for its line, that on the next one, and a word instead."""
    digest = said.startswith(_SHA256) and len(said) == _DIGEST
    if not digest or not style.width or style.width - _INDENT >= len(before) + _DIGEST + len(after):
        return [f"{before}{said}{after}"]
    return [f"{before}{instead}{after}".rstrip(), said]


def _follows(check: Check, others: set[str]) -> bool:
    """Whether a check only repeats what another says: the wider threshold, no gpg, or another publisher."""
    if check.id in ("publish.evidence", SIGNERS_THRESHOLD) and "publisher.changed" in others:
        return True
    if check.id in (OPENPGP_THRESHOLD, SIGSTORE_THRESHOLD):
        return SIGNERS_THRESHOLD in others
    return check.id == SIGNERS_THRESHOLD and "openpgp.available" in others


def _worth_saying(verdict: Verdict) -> list[Check]:
    """Bad signatures beside good ones; where none is good, the problem has already told what is wrong with each."""
    told = " ".join(check.got for check in verdict.failed())
    return [check for check in verdict.reported() if check.got not in told and check.id != TODAY]


def _next_step(verdict: Verdict, use: Use) -> str:
    match verdict.result:
        case Result.PASSED:
            return _next_of_pass(verdict, use)
        case Result.FAILED:
            if use is Use.OWN:
                return _next_of_own(verdict)
            advice = " ".join(_own_advice(verdict)) or _ADVICE.get(verdict.exit_code, "")
            if verdict.exit_code is ExitCode.STALE and any(c.id == "attestation.audit" for c in verdict.failed()):
                advice = "Ask the project to audit this release again."
            return f"do not install this (exit code {int(verdict.exit_code)}). {advice}".rstrip()
        case Result.UNDECIDED:
            return "nothing is proved either way: do not install this until it is decided (exit code 3)."


def _next_of_own(verdict: Verdict) -> str:
    """What the project itself does with a release of its own that has failed: there is nobody whom it could ask."""
    failed = verdict.failed()
    advice = " ".join(_own_advice(verdict)) or _OWN_ADVICE.get(verdict.exit_code, "")
    if {check.id for check in failed} <= _THRESHOLDS and _count(verdict):
        advice = f"It waits for others: {_send(verdict)}"
    elif verdict.exit_code is ExitCode.STALE and any(check.id == "attestation.audit" for check in failed):
        advice = "Audit it again, and seal it with that audit."
    return f"do not publish this (exit code {int(verdict.exit_code)}). {advice}".rstrip()


def _next_of_pass(verdict: Verdict, use: Use) -> str:
    """What remains to be done with a release that has passed. What a pin has settled is not asked again."""
    pin, follows = verdict.policy.pin, use is Use.FOLLOWS
    done = "what you asked for follows, with these very bytes and no others."
    if verdict.sandbox:
        rest = "Install what a verdict without a sandbox says."
        return (
            f"{done} This was a rehearsal: rely on nothing of it."
            if follows
            else f"nothing: this was a rehearsal. {rest}"
        )
    others = " Do not run what was not checked." if _unseen(verdict) else ""
    if pin and pin.first_use:
        condition, unless = "that publisher is the project's own", "that publisher is not the project's own"
        others = f" Better: get its policy, and pin it.{others}"
    else:
        condition, unless = "the fingerprint is the one you know", "the fingerprint is not the one you know"
    settled = pin is not None and not pin.first_use
    if follows:
        return done + ("" if settled else f" Undo it if {unless}.") + others
    if use is Use.OFFERED and any(artifact.name.endswith(".whl") for artifact in verdict.artifacts):
        how = "install it with the same command and --install"
    else:
        how = f"install {'the files with these digests and no others' if verdict.places else f'from {verdict.folder}'}"
    return how + ("." if settled else f", if {condition}.") + others


def _own_advice(verdict: Verdict) -> tuple[str, ...]:
    """What the failed checks say is to be done, where they know it better than the exit code does."""
    failed = verdict.failed()
    decisive = [check for check in failed if check.costs is verdict.exit_code]
    empty = [check for check in failed if check.id == "release.artifacts"]
    if not empty and any(check.id not in _KNOW_BETTER or not check.hint for check in decisive):
        return ()
    return tuple(dict.fromkeys(check.hint for check in empty or decisive))
