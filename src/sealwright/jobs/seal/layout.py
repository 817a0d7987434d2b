"""The layout's part of a sealing: what the build has made beforehand is taken into the release folder.

Enters: a folder with root.layout and links. Leaves: the same files in the release folder. Makes and judges none of
them: the verdict at the end of the sealing does.
"""

import os
from pathlib import Path

from sealwright.errors import UsageError
from sealwright.files.reading import UnfitFileError, read_bounded
from sealwright.files.writing import write_whole
from sealwright.jobs.seal.task import Made, Task
from sealwright.model.policy import Policy
from sealwright.model.release import LAYOUT, MAX_LAYOUT_BYTES, MAX_LINK_BYTES, is_layout_evidence

_HINT = "docs/layout.md shows how a build makes them: sealwright layout new, layout sign, and step in the build."


def refuse_without_layout(policy: Policy, folder: Path | None, out: Path) -> None:
    """Raise UsageError where a layout is required and nowhere, or given and not required."""
    if folder is not None and not policy.require.layout:
        raise UsageError(
            "--layout was given, and the policy requires no layout", "Write layout = true under [require]."
        )
    if folder is not None and not (folder / LAYOUT).is_file():
        raise UsageError(f"{folder / LAYOUT} does not exist", _HINT)
    if policy.require.layout and folder is None and not (out / LAYOUT).exists():
        raise UsageError("the policy requires an in-toto layout, and none was given", f"Add --layout DIR. {_HINT}")


def make_layout(task: Task) -> Made:
    """Copy the layout and the links, and leave alone what is the same already."""
    if task.layout is None:
        return Made()
    written = []
    for name in sorted(filter(is_layout_evidence, os.listdir(task.layout))):
        limit = MAX_LAYOUT_BYTES if name == LAYOUT else MAX_LINK_BYTES
        try:
            content = read_bounded(task.layout / name, limit)
        except UnfitFileError as error:
            raise UsageError(f"{task.layout / name} is {error}") from error
        path = task.out / name
        if not path.exists() or read_bounded(path, limit) != content:
            write_whole(path, content)
            written.append(name)
    return Made(tuple(written))
