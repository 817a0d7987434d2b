"""A verdict as one JSON object, described by docs/verdict.schema.json and docs/json-verdict.md."""

import json

from sealwright.model.trusted_root import RootInUse
from sealwright.model.verdict import Check, PinInUse, Verdict

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
            "expires": verdict.policy.expires.strftime("%Y-%m-%dT%H:%M:%SZ") if verdict.policy.version else None,
            "pin": _pin(verdict.policy.pin) if verdict.policy.pin else None,
        },
        "trustedRoot": root_document(verdict.root) if verdict.root else None,
        "places": list(verdict.places),
        "artifacts": [artifact._asdict() for artifact in verdict.artifacts],
        "signers": [signer._asdict() for signer in verdict.signers],
        "checks": [_check(check) for check in verdict.checks],
        "notChecked": [check.subject for check in verdict.not_checked()],
        "warnings": list(verdict.warnings),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _pin(pin: PinInUse) -> dict[str, str]:
    return {"kind": pin.kind, "since": pin.since.strftime("%Y-%m-%dT%H:%M:%SZ"), "source": pin.source}


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


def root_document(root: RootInUse) -> dict[str, str | bool | None]:
    """Return what is said of the trusted root of Sigstore that judged; times as in RFC 3339."""
    newest = root.newest.strftime("%Y-%m-%dT%H:%M:%SZ") if root.newest else None
    return {"name": root.name, "newest": newest, "ended": root.ended, "sandbox": root.sandbox}
