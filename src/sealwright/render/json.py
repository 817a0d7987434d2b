"""A verdict as one JSON object, described by docs/verdict.schema.json and docs/json-verdict.md."""

import json

from sealwright.model.verdict import Check, Verdict

SCHEMA = 1


def render_json(verdict: Verdict) -> str:
    """Write a verdict as one JSON object and a newline (RFC 8259; ASCII, so that no name reaches a terminal raw)."""
    document = {
        "schema": SCHEMA,
        "project": verdict.project,
        "version": verdict.version,
        "result": verdict.result.value,
        "exitCode": int(verdict.exit_code),
        "policy": {
            "path": verdict.policy.path,
            "version": verdict.policy.version,
            "fingerprint": verdict.policy.fingerprint,
            "expires": verdict.policy.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "artifacts": [artifact._asdict() for artifact in verdict.artifacts],
        "signers": [signer._asdict() for signer in verdict.signers],
        "checks": [_check(check) for check in verdict.checks],
        "notChecked": [check.subject for check in verdict.not_checked()],
        "warnings": list(verdict.warnings),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _check(check: Check) -> dict[str, str]:
    return {
        "id": check.id,
        "subject": check.subject,
        "outcome": check.outcome.value,
        "expected": check.expected,
        "got": check.got,
        "clause": check.clause,
        "hint": check.hint,
    }
