"""What in-toto layouts and links say of the steps of a build.

Enters: their JSON, as in-toto writes it or in a DSSE envelope. Leaves: a piece, in which whatever could not be read is
missing and noted. Verifies nothing, and runs nothing of what it reads.
https://github.com/in-toto/specification/blob/v1.0/in-toto-spec.md#4-document-formats
"""

import json

from sealwright.collect.claims.json_claims import Node, Problems
from sealwright.collect.claims.statement import first_line
from sealwright.files.strict_json import read_json
from sealwright.model.explanation import Claim, Piece, PieceKind

_MAX_COMMAS = 25_000
_MOST_STEPS = 100
_MOST_RULES = 100
_MOST_SIGNATURES = 100
_MOST_WORDS = 1_000
_MOST_FILES = 1_000


def read_intoto_json(file: str, content: bytes) -> Piece:
    """Read a layout or a link. Raises nothing: JSON that is neither is a piece with a problem."""
    problems = Problems()
    try:
        document = Node(read_json(content, _MAX_COMMAS), "", problems)
        signed = document.table("signed")
        if document.has("payload"):
            signed = Node(read_json(document.data("payload"), _MAX_COMMAS), "payload", problems)
    except (ValueError, RecursionError) as error:
        problems.note("the JSON", first_line(error))
        return Piece(file, PieceKind.UNREADABLE, problems=tuple(problems))
    match signed.text("_type"):
        case "layout":
            kind, claims = PieceKind.LAYOUT, _layout(signed)
        case "link":
            kind, claims = PieceKind.LINK, _link(signed)
        case _:
            problems.note("the metadata", "it is no in-toto layout and no link")
            kind, claims = PieceKind.UNREADABLE, []
    claims += [
        Claim("signed by", f"key {each.text('keyid')}") for each in document.tables("signatures", _MOST_SIGNATURES)
    ]
    return Piece(file, kind, more=tuple(claims), problems=tuple(problems))


def _layout(signed: Node) -> list[Claim]:
    steps, inspections = signed.tables("steps", _MOST_STEPS), signed.tables("inspect", _MOST_STEPS)
    claims = [Claim("expires", signed.text("expires")), Claim("steps", f"{signed.count('steps'):,}")]
    for step in steps:
        keys = ", ".join(key[:16] for key in step.texts("pubkeys", _MOST_SIGNATURES))
        claims.append(
            Claim("step", f"{step.text('name')}, by {step.text('threshold')} of the keys {keys or 'of nobody'}")
        )
        claims += [Claim("command", _command(step, "expected_command")), *_rules(step)]
    for inspection in inspections:
        claims.append(Claim("inspection", f"{inspection.text('name')}, which in-toto-verify would run"))
        claims += [Claim("command", _command(inspection, "run")), *_rules(inspection)]
    return claims


def _rules(item: Node) -> list[Claim]:
    """The rules of a step, each a list of words."""
    found: list[Claim] = []
    for label, key in (("materials", "expected_materials"), ("products", "expected_products")):
        rules = item.values.get(key)
        if item.count(key) and isinstance(rules, list):
            nodes = (Node({"rule": rule}, key, item.problems) for rule in rules[:_MOST_RULES])
            found += [Claim(label, " ".join(node.texts("rule", _MOST_WORDS))) for node in nodes]
    return found


def _command(item: Node, key: str) -> str:
    """The words of a command as JSON, so that it shows where one ends; a link's command may be empty."""
    return json.dumps(item.texts(key, _MOST_WORDS), ensure_ascii=False)


def _link(signed: Node) -> list[Claim]:
    returned = signed.table("byproducts").text("return-value")
    claims = [
        Claim("step", signed.text("name")),
        Claim("command", _command(signed, "command")),
        Claim("returned", returned or "not stated"),
    ]
    for label in ("materials", "products"):
        files = signed.table(label)
        claims.append(Claim(label, f"{len(files.values):,} files"))
        for path in list(files.values)[:_MOST_FILES]:
            digests = ", ".join(f"{name} {value}" for name, value in files.pairs(path))
            claims.append(Claim("", f"{path}: {digests or 'no digest'}"))
    return claims
