"""What came of a rebuild, as text for a person, or as one JSON object (docs/reproduction.schema.json).

Enters: a `Reproduction`, and the verdict on the release if there was one. Leaves: text, in which whatever came from
outside goes through `plain`; JSON in ASCII.
"""

import json
from collections.abc import Iterator
from typing import Any

from sealwright.errors import ExitCode
from sealwright.model.reproduction import (
    IN_CONTENT,
    Compared,
    Difference,
    Extra,
    Origin,
    Outcome,
    Reproduction,
    Side,
)
from sealwright.model.verdict import Verdict
from sealwright.render.text import PLAIN, Style, plain

SCHEMA = 1
_MOST = 12
_MOST_UNEXPLAINED = 100
_LONGEST = 4_000
_LABEL = 16
_HEADLINES = {
    ExitCode.DONE: ("REPRODUCED", "\x1b[1;32m"),
    ExitCode.TAMPERED: ("NOT REPRODUCED", "\x1b[1;31m"),
    ExitCode.ANOMALY: ("SAME CONTENT, OTHER METADATA", "\x1b[1;33m"),
    ExitCode.UNDECIDED: ("UNDECIDED", "\x1b[1;33m"),
}
_END = "\x1b[0m"
_NEXT = {
    ExitCode.DONE: "nothing: the source makes these very bytes.",
    ExitCode.TAMPERED: "find out where the content comes from before anybody installs it (exit code 10).",
    ExitCode.ANOMALY: "the content is the same; build with the same tools and SOURCE_DATE_EPOCH (exit code 40).",
    ExitCode.UNDECIDED: "rebuild where the release was built: not everything could be compared (exit code 3).",
}


def render_reproduction(reproduction: Reproduction, verdict: Verdict | None, style: Style = PLAIN) -> str:
    """Write what a rebuild showed as lines of text, ended by a newline."""
    source, code = reproduction.source, reproduction.exit_code
    title, colour = _HEADLINES[code]
    first = f"{title}  {plain(reproduction.folder)}"
    lines = [f"{colour}{first}{_END}" if style.colour else first]
    said = "its verified provenance says so" if source.vouched else "you said so: no verified provenance names it"
    lines += _entry("commit", f"{source.commit} ({said})")
    lines += _entry("source", source.repository)
    lines += _entry("release", _release(verdict))
    how = "in an environment of its own" if source.isolated else "in Sealwright's own environment (--no-isolation)"
    lines += _entry(
        "built", f"{how}, SOURCE_DATE_EPOCH={source.epoch}" + (f", {source.backend}" * bool(source.backend))
    )
    for artifact in reproduction.artifacts:
        lines += _artifact(artifact)
    lines += _extras(reproduction.extras)
    for note in reproduction.notes[:_MOST]:
        lines += _entry("note", note)
    lines += _entry("next", _NEXT[code])
    return "\n".join(lines) + "\n"


def _release(verdict: Verdict | None) -> str:
    if verdict is None:
        return "NOT verified: no policy judged it"
    sandbox = " (in a sandbox)" if verdict.sandbox else ""
    return f"verified{sandbox}: {verdict.project} {verdict.version}, by {verdict.policy.path}"


def _entry(label: str, text: str) -> list[str]:
    return [f"  {label:<{_LABEL}} {plain(text[:_LONGEST])}"]


def _artifact(artifact: Compared) -> Iterator[str]:
    yield from _entry(artifact.outcome.value, artifact.name)
    yield f"    sha256:{artifact.released.sha256}"
    if artifact.rebuilt and artifact.rebuilt.sha256 != artifact.released.sha256:
        yield f"    sha256:{artifact.rebuilt.sha256} (rebuilt)"
    if artifact.released.tool:
        yield from _entry("", f"built with {artifact.released.tool}, as it says itself")
    if artifact.note:
        yield from _entry("", artifact.note)
    yield from _differences(artifact.differences)


def _differences(differences: tuple[Difference, ...]) -> Iterator[str]:
    """Content by itself, member by member; of the rest, one line for all members that differ in the same way."""
    content = [d for d in differences if d.why in IN_CONTENT]
    for difference in content[:_MOST]:
        where = difference.member or "the archive"
        yield from _entry("", f"{difference.why.value}: {where}: {difference.released} -> {difference.rebuilt}")
        yield from (f"        {plain(line)}" for line in difference.diff)
    if len(content) > _MOST:
        yield from _entry("", f"and {len(content) - _MOST} more in content; --json lists them all")
    groups: dict[tuple[str, str, str], list[str]] = {}
    for d in differences:
        if d.why not in IN_CONTENT:
            groups.setdefault((d.why.value, d.released, d.rebuilt), []).append(d.member or "the archive")
    for (why, released, rebuilt), members in list(groups.items())[:_MOST]:
        more = f" and {len(members) - 1} more" if len(members) > 1 else ""
        yield from _entry("", f"{why}: {members[0]}{more}: {released} -> {rebuilt}")
    if len(groups) > _MOST:
        yield from _entry("", f"and {len(groups) - _MOST} more in metadata; --json lists them all")


def _extras(extras: tuple[Extra, ...]) -> Iterator[str]:
    groups: dict[tuple[str, str, Origin], list[str]] = {}
    for extra in extras:
        groups.setdefault((extra.artifact, extra.source, extra.origin), []).append(extra.name)
    for (artifact, source, origin), names in groups.items():
        listed = names[: _MOST if origin is not Origin.UNEXPLAINED else _MOST_UNEXPLAINED]
        more = f", and {len(names) - len(listed)} more" if len(names) > len(listed) else ""
        yield from _entry("not in source", f"{artifact}, against {source}: {origin.value}: {', '.join(listed)}{more}")


def render_reproduction_json(reproduction: Reproduction | None, verdict: Verdict | None, exit_code: int) -> str:
    """Write one JSON object and a newline; `source` is null if nothing was built because the release did not verify."""
    release: dict[str, Any] | None = None
    if verdict:
        policy = {key: getattr(verdict.policy, key) for key in ("path", "version", "fingerprint")}
        release = {"project": verdict.project, "version": verdict.version, "result": verdict.result.value}
        release |= {"sandbox": verdict.sandbox, "exitCode": int(verdict.exit_code), "policy": policy}
    document: dict[str, Any] = {"schema": SCHEMA, "exitCode": exit_code, "release": release, "source": None}
    document |= {"artifacts": [], "notInSource": [], "notes": []}
    if reproduction:
        source = reproduction.source
        document["source"] = {
            "repository": source.repository,
            "commit": source.commit,
            "commitVouched": source.vouched,
            "sourceDateEpoch": source.epoch,
            "isolated": source.isolated,
            "constraint": source.backend,
        }
        document["artifacts"] = [_document(artifact) for artifact in reproduction.artifacts]
        document["notInSource"] = [
            {"artifact": e.artifact, "name": e.name, "source": e.source, "origin": e.origin.name.lower()}
            for e in reproduction.extras
        ]
        document["notes"] = list(reproduction.notes)
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _document(artifact: Compared) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "kind": artifact.kind,
        "outcome": artifact.outcome.value,
        "same": artifact.outcome is Outcome.SAME,
        "released": _side(artifact.released),
        "rebuilt": _side(artifact.rebuilt) if artifact.rebuilt else None,
        "note": artifact.note,
        "differences": [
            {"member": d.member, "why": d.why.value, "released": d.released, "rebuilt": d.rebuilt, "diff": list(d.diff)}
            for d in artifact.differences
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"sha256": side.sha256, "size": side.size, "tool": side.tool}
