"""The verdict on one file as text and as JSON (docs/verify-an-artifact.md)."""

import json

from sealwright.model.artifact_verdict import ArtifactVerdict
from sealwright.model.verdict import Outcome, Result
from sealwright.render.json import root_document
from sealwright.render.text import PLAIN, Style, headline, plain, say_root


def render_artifact(verdict: ArtifactVerdict, style: Style = PLAIN) -> str:
    """Write the verdict as lines of text, ended by a newline."""
    lines = [f"{headline(verdict.result, sandbox=verdict.root.sandbox)}  {plain(verdict.file)}"]
    if verdict.file != f"sha256:{verdict.sha256}":
        lines.append(f"    sha256:{verdict.sha256}")
    signed = verdict.result is Result.PASSED
    lines.append(f"  {'signed by' if signed else 'not shown to be signed by'} {plain(verdict.identity)}")
    lines.append(f"  as {plain(verdict.oidc_issuer)} says")
    for check in verdict.checks:
        if check.outcome is Outcome.NOT_CHECKED:
            lines.append(f"  not checked  {plain(check.expected)}: {plain(check.subject)}")
        elif check.outcome is not Outcome.PASS:
            lines.append(f"  problem      {plain(check.got)}  [{check.id}]")
            lines.append(f"               expected {plain(check.expected)}")
    lines += [
        f"  {'root' if number == 0 else '':<13}{plain(text)}" for number, text in enumerate(say_root(verdict.root))
    ]
    if style.colour:
        lines[0] = f"\x1b[1;{32 if signed else 31}m{lines[0]}\x1b[0m"
    return "\n".join(lines) + "\n"


def render_artifact_json(verdict: ArtifactVerdict) -> str:
    """Write the verdict as one JSON object (ASCII) and a newline."""
    document = {
        "schema": 1,
        "file": verdict.file,
        "sha256": verdict.sha256,
        "identity": verdict.identity,
        "oidcIssuer": verdict.oidc_issuer,
        "trustedRoot": root_document(verdict.root),
        "result": verdict.result.value,
        "exitCode": int(verdict.exit_code),
        "checks": [
            {
                "id": c.id,
                "subject": c.subject,
                "outcome": c.outcome.value,
                "expected": c.expected,
                "got": c.got,
                "clause": c.clause,
            }
            for c in verdict.checks
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
