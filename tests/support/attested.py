"""A release with attestations, and the same with a lie that is signed perfectly well."""

import base64
import json
from collections.abc import Callable
from typing import Any

from sigstore.dsse import Statement

from sealwright.errors import ExitCode
from sealwright.model.verdict import Verdict
from sealwright.sandbox.sigstore import GitHubClaims, GitLabClaims, Sigstore
from support.keyless import WORKFLOW, token_of
from support.sigstore import client
from support.world import World

LINES = "tiny_project-1.2.3.intoto.jsonl"


def statements(world: World) -> dict[str, Any]:
    """The statements of the release, by the last word of their type."""
    found = {}
    for line in (world.release / LINES).read_text().splitlines():
        statement = json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))
        found["release" if "release" in statement["predicateType"] else "provenance"] = statement
    return found


def sign(sigstore: Sigstore, statement: Any, claims: GitHubClaims | GitLabClaims = WORKFLOW) -> str:
    with client(sigstore).signer(token_of(sigstore, claims)) as signer:
        content = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
        return signer.sign_dsse(Statement(content)).to_json() + "\n"


def replace_with(world: World, sigstore: Sigstore, kind: str, change: Callable[[Any], None], **more: Any) -> None:
    """Sign a changed statement, perfectly well, in the place of the good one."""
    said = statements(world)
    change(said[kind])
    (world.release / LINES).write_text("".join(sign(sigstore, statement, **more) for statement in said.values()))


def failed(verdict: Verdict, check: str, told: str, code: ExitCode = ExitCode.TAMPERED) -> None:
    assert verdict.exit_code is code, [(c.id, c.got) for c in verdict.failed()]
    got = " ".join(c.got for c in verdict.failed() if c.id == check)
    assert told in got, [(c.id, c.got) for c in verdict.failed()]


def set_in(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(statement: Any) -> None:
        place = statement
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change
