"""A verdict as a short text for a person: the answer, who vouched, what was not checked, what to do next.

Enters: a `Verdict`. Leaves: text, with ANSI colours if asked for. Whatever came from outside goes through
`plain`, so that no name or claim can write to the terminal by itself.
"""

from sealwright.model.verdict import Check, Result, Verdict

_MOST_LINES = 12
_COLOURS = {Result.PASSED: "\x1b[1;32m", Result.FAILED: "\x1b[1;31m", Result.UNDECIDED: "\x1b[1;33m"}
_HEADLINES = {Result.PASSED: "VERIFIED", Result.FAILED: "NOT VERIFIED", Result.UNDECIDED: "UNDECIDED"}
_END = "\x1b[0m"


def plain(text: str) -> str:
    """Return the text with every character that a terminal could obey written out (escapes, newlines, bidi marks)."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in _valid(text)
    )


def _valid(text: str) -> str:
    """File names may carry bytes that are no UTF-8 (PEP 383 surrogates): show them as escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def render_verdict(verdict: Verdict, *, colour: bool = False) -> str:
    """Write a verdict as lines of text, ended by a newline."""
    headline = f"{_HEADLINES[verdict.result]}  {verdict.project} {verdict.version}".rstrip()
    if colour:
        headline = f"{_COLOURS[verdict.result]}{headline}{_END}"
    lines = [headline]
    if verdict.result is Result.PASSED:
        lines += _notes("artifacts", [f"{a.name}  sha256:{a.sha256}" for a in verdict.artifacts])
    else:
        lines += _problems(verdict)
    lines += _signers(verdict)
    lines += _notes("also", [f"{c.subject}: {c.got}" for c in _worth_saying(verdict)])
    lines += _notes("not checked", [f"{c.subject}: {c.got}" for c in verdict.not_checked()])
    lines += _notes("warning", list(verdict.warnings))
    lines.append(
        _label("policy")
        + f"{plain(verdict.policy.path)}, version {verdict.policy.version}, until {verdict.policy.expires:%Y-%m-%d}"
    )
    lines.append(_label("") + f"fingerprint {verdict.policy.fingerprint}")
    lines.append(_label("next") + _next_step(verdict))
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return f"  {text:<12} "


def _signers(verdict: Verdict) -> list[str]:
    counted = [signer for signer in verdict.signers if signer.counted]
    tally = f"{len(counted)} of {verdict.signers_required} signers"
    return _notes("vouched for", [tally] + [f"{s.name} (OpenPGP {', '.join(s.by)})" for s in counted])


def _problems(verdict: Verdict) -> list[str]:
    lines: list[str] = []
    hints: set[str] = set()
    checks = verdict.failed() + verdict.undecided()
    for check in checks[:_MOST_LINES]:
        lines.append(_label("problem") + f"{plain(check.subject)}: {plain(check.got)}  [{check.id}]")
        if check.expected and check.id not in hints:
            lines.append(_label("") + f"expected {plain(check.expected)}")
        if check.hint and check.hint not in hints:
            lines.append(_label("") + plain(check.hint))
        hints |= {check.id, check.hint}
    if len(checks) > _MOST_LINES:
        lines.append(_label("") + f"and {len(checks) - _MOST_LINES} more; --json lists them all")
    return lines


def _worth_saying(verdict: Verdict) -> list[Check]:
    """Bad signatures beside good ones; where none is good, the problem has already told what is wrong with each."""
    told = " ".join(check.got for check in verdict.failed())
    return [check for check in verdict.reported() if check.got not in told]


def _notes(label: str, texts: list[str]) -> list[str]:
    shown = [plain(text) for text in texts[:_MOST_LINES]]
    if len(texts) > _MOST_LINES:
        shown.append(f"and {len(texts) - _MOST_LINES} more; --json lists them all")
    return [_label(label if number == 0 else "") + text for number, text in enumerate(shown)]


def _next_step(verdict: Verdict) -> str:
    match verdict.result:
        case Result.PASSED:
            return f"install from {plain(verdict.folder)}, and check that the fingerprint is the one you know"
        case Result.FAILED:
            return f"do not install this. Exit code {int(verdict.exit_code)}: docs/exit-codes.md"
        case Result.UNDECIDED:
            return "nothing is proved either way: do not install this until it is decided"
