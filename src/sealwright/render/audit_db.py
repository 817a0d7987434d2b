"""What the index of advisories says about itself, as text or JSON.

Enters: `IndexFacts`. Leaves: text.
"""

import json
from datetime import datetime
from pathlib import PurePath

from sealwright.model.index_facts import IndexFacts, describe_age
from sealwright.render.text import plain

_MOST = 10


def render_facts(facts: IndexFacts, path: PurePath, now: datetime, size: int = 0) -> str:
    """Write it as lines of text, ended by a newline."""
    projects = f"about {facts.packages:,} {'project' if facts.packages == 1 else 'projects'}"
    lines = [
        ("index", str(path) + (f" ({size / 1e6:.1f} MB)" if size else "")),
        ("advisories", f"{facts.records:,} ({facts.withdrawn:,} of them withdrawn), {projects}"),
        ("newest", facts.newest or "unknown"),
        ("age", f"{describe_age(facts.age(now))}, as of {facts.current or 'an unknown time'}"),
        ("source", facts.source),
        ("", f"sha256:{facts.source_sha256}"),
        ("digest", f"sha256:{facts.sha256}"),
    ]
    lines += [("skipped", f"{each.file}: {each.problem}") for each in facts.skipped[:_MOST]]
    if facts.skipped_count > _MOST:
        lines.append(("", f"and {facts.skipped_count - _MOST:,} more that could not be read"))
    return "".join(f"  {label:<11}{plain(text)}\n" if len(text) < 68 else _long(label, text) for label, text in lines)


def _long(label: str, text: str) -> str:
    return (f"  {label}\n" if label else "") + f"    {plain(text)}\n"


def render_facts_json(facts: IndexFacts, path: PurePath, now: datetime, size: int) -> str:
    """Write one JSON object (ASCII) and a newline."""
    age = facts.age(now)
    document = facts._asdict() | {
        "schema": 1,
        "path": str(path),
        "bytes": size,
        "ageSeconds": None if age is None else int(age.total_seconds()),
        "skipped": [each._asdict() for each in facts.skipped],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
