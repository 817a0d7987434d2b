"""What was seen of a project, kept in the user's data folder so that nothing older is taken again unnoticed.

Enters: the data folder, a project, what is new. Leaves: `Seen`. A file that is not exactly what was written is an
error, never an empty memory: whoever could damage it would gain by that.
"""

from collections.abc import Callable
from pathlib import Path

from sealwright.errors import UndecidedError
from sealwright.model.seen import Remembered, Seen
from sealwright.model.withdrawal import Withdrawal
from sealwright.store.user_data import locked_folder, read_record, write_record

_WHAT = "what was seen of this project,"
_MEND = "Restore that file from a copy; or move it away if you know why it changed: then older releases go unnoticed."


def seen_path(data: Path, project: str) -> Path:
    """Return where it is kept; `project` is normalised (PEP 503), so it holds no slash."""
    return data / "seen" / f"{project}.json"


def read_seen(data: Path, project: str) -> Seen:
    """Return what was seen of a project; nothing, if nothing is kept. Raises UndecidedError for a damaged file."""
    path = seen_path(data, project)
    document = read_record(path, _WHAT, _MEND)
    if document is None:
        return Seen()
    try:
        if document["project"] != project:
            raise ValueError("of another project")
        policy, substance, newest = document["policy"], document["substance"], document["newest"]
        beside, named = document.get("beside", 0), document.get("besideSubstance", "")
        if not all(type(number) is int for number in (policy, beside)):
            raise ValueError("not what this version writes")
        if not all(isinstance(text, str) for text in (substance, newest, named)):
            raise ValueError("not what this version writes")
        withdrawn = tuple(_remembered(each) for each in document["withdrawn"])
        return Seen(policy, substance, newest, withdrawn, document.get("full", False) is not False, beside, named)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UndecidedError(f"{_WHAT} {path} cannot be read", _MEND) from error


def remember(data: Path, project: str, seen: Seen, learn: Callable[[Seen], Seen]) -> None:
    """Keep what `learn` makes of what is kept; `seen` is what was read before, and nothing is written if that suffices.

    Several processes may do so at once: each learns from what the one before has written. Raises OSError and
    UndecidedError.
    """
    if learn(seen) == seen:
        return
    path = seen_path(data, project)
    with locked_folder(path.parent):
        before = read_seen(data, project)
        after = learn(before)
        if after != before:
            withdrawn = [entry.withdrawal._asdict() | {"by": entry.by} for entry in after.withdrawn]
            document = {"policy": after.policy, "substance": after.substance, "newest": after.newest}
            document |= {"beside": after.beside, "besideSubstance": after.beside_substance}
            write_record(path, document | {"project": project, "withdrawn": withdrawn, "full": after.full})


def _remembered(entry: dict[str, object]) -> Remembered:
    words = {name: str(value) for name, value in entry.items()}
    by = words.pop("by", "")
    return Remembered(Withdrawal(**words), by)
