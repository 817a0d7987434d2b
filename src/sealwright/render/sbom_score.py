"""How much of the minimum elements an SBOM has, as text or as one JSON object (docs/sbom.md).

Enters: an `SbomScore`. Leaves: text. Whatever the SBOM says goes through `plain`.
"""

import json

from sealwright.errors import ExitCode
from sealwright.model.sbom_score import ElementScore, SbomScore, Standard
from sealwright.render.style import PLAIN, Style, plain, wrapped

_MOST = 12
_INDENT = 4
_GREEN, _RED, _END = "\x1b[1;32m", "\x1b[1;31m", "\x1b[0m"


def render_score(score: SbomScore, style: Style = PLAIN) -> str:
    """Write the score as lines of text, ended by a newline: first the answer, then what is missing where."""
    good = score.exit_code is ExitCode.DONE
    first = (
        f"{'ENOUGH' if good else 'NOT ENOUGH'}  {plain(score.path)}" if score.minimum or not good else plain(score.path)
    )
    colour = (_GREEN if good else _RED) if style.colour else ""
    lines = [f"{colour}{first}{_END if colour else ''}"]
    lines += _wrapped(f"{plain(score.facts.format)}, {_components(len(score.facts.components))}", 2, style)
    for standard in Standard:
        lines.append(f"  {standard.value}: {score.percent(standard)} of 100")
        for element in score.elements:
            if element.standard is standard and element.missing:
                lines += _missing(element, style)
    lines += _schema(score, style)
    if score.minimum:
        lines += _wrapped(f"asked for: {score.minimum} of 100 in both lists", 2, style)
    if not good:
        lines += _wrapped(f"next: {_next_step(score)}", 2, style)
    return "\n".join(lines) + "\n"


def _next_step(score: SbomScore) -> str:
    """What whoever made the document can do: author and time are theirs to say, the rest is that of its components."""
    facts = score.facts
    if facts.faults:
        return "mend what breaks its schema, or have its tool do it"
    said = [] if facts.author else ["--author NAME"]
    said += [] if facts.timestamp else ["SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) before it"]
    if said:
        return f"if sealwright sbom made it, make it again with {' and '.join(said)}"
    return "ask whoever makes the named components for what they lack, or ask for less"


def _components(count: int) -> str:
    return f"{count:,} component{'' if count == 1 else 's'}"


def _missing(element: ElementScore, style: Style) -> list[str]:
    named = ", ".join(plain(name) for name in element.missing[:_MOST])
    more = len(element.missing) - _MOST
    text = f"no {element.name}: {named}" + (f" and {more:,} more, with --json" if more > 0 else "")
    return _wrapped(text, _INDENT, style)


def _schema(score: SbomScore, style: Style) -> list[str]:
    if not score.facts.schema_checked:
        return _wrapped("not checked: the schema, which is not at hand for this format", 2, style)
    if not score.facts.faults:
        return ["  valid against its schema"]
    lines = ["  not valid against its schema:"]
    for fault in score.facts.faults[:_MOST]:
        lines += _wrapped(plain(fault), _INDENT, style)
    return lines


def _wrapped(text: str, indent: int, style: Style) -> list[str]:
    if not style.width:
        return [" " * indent + text]
    return [" " * indent + line for line in wrapped(text, style.width - indent, 2) or [""]]


def render_score_json(score: SbomScore) -> str:
    """Write one JSON object (ASCII) and a newline."""
    document = {
        "schema": 1,
        "path": score.path,
        "format": score.facts.format,
        "components": len(score.facts.components),
        "valid": not score.facts.faults if score.facts.schema_checked else None,
        "faults": list(score.facts.faults),
        "scores": {standard.value: score.percent(standard) for standard in Standard},
        "minimum": score.minimum,
        "exitCode": int(score.exit_code),
        "elements": [
            {
                "standard": element.standard.value,
                "element": element.name,
                "have": element.have,
                "of": element.of,
                "missing": list(element.missing),
            }
            for element in score.elements
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
