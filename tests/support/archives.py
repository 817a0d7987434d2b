"""Wheels and sdists that were built, changed in one respect; and a project in git that builds them."""

import copy
import gzip
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

Zipped = list[tuple[zipfile.ZipInfo, bytes]]
Tarred = list[tuple[tarfile.TarInfo, bytes]]

PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tiny-project"
requires-python = ">=3.11"
version = "1.2.3"
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make_project(folder: Path, files: dict[str, str] | None = None, pyproject: str = PYPROJECT) -> str:
    """Make a repository with a project that hatchling builds, and return its commit."""
    content = {"pyproject.toml": pyproject, "tiny_project/__init__.py": "x = 1\n", "README.md": "tiny\n"} | (
        files or {}
    )
    before = os.umask(0o022)  # as its clones are made: an sdist holds these modes
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    os.umask(before)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD")


def build(project: Path, out: Path, *more: str) -> None:
    """Build wheel and sdist as a careful maintainer does: from a clean clone, with SOURCE_DATE_EPOCH."""
    epoch = {"SOURCE_DATE_EPOCH": git(project, "show", "-s", "--format=%ct")}
    command = [sys.executable, "-m", "build", "--no-isolation", *more, "--outdir", str(out), str(project)]
    subprocess.run(command, env=os.environ | epoch, check=True, capture_output=True, timeout=120, umask=0o022)


def rewrite_wheel(path: Path, edit: Callable[[Zipped], Zipped], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [(copy.copy(info), archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", method) as archive:
        for info, content in edit(members):
            archive.writestr(info, content, compress_type=method)


def rewrite_sdist(path: Path, edit: Callable[[Tarred], Tarred], *, mtime: int | None = None, level: int = 9) -> None:
    with tarfile.open(path, "r:gz") as archive:
        members = [(m, f.read() if (f := archive.extractfile(m)) else b"") for m in archive.getmembers()]
    if mtime is None:
        mtime = int.from_bytes(path.read_bytes()[4:8], "little")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in edit(members):
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(packed.getvalue(), level, mtime=mtime))
