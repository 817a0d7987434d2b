"""What a project says about itself: its name from pyproject.toml, its repository from git.

Enters: the project's folder. Leaves: `ProjectFacts`. Runs git only to read one setting; never runs a build.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.built.git_asking import ask_git
from sealwright.errors import UsageError
from sealwright.files.reading import read_named

_MAX_PYPROJECT_BYTES = 1024 * 1024
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9_.-]+@)?([A-Za-z0-9.-]+):(?!//)(.+)")
_WEB_LIKE = re.compile(r"(?:https?|ssh|git)://(?:[^@/]*@)?([A-Za-z0-9.-]+)(?::\d+)?/(.+)")
_PRINTABLE = re.compile(r"[A-Za-z0-9._~/-]+")


class ProjectFacts(NamedTuple):
    """`name` is normalised (PEP 503); `repository` is an https:// URL without credentials, or empty."""

    name: str
    repository: str


def collect_project(folder: Path) -> ProjectFacts:
    """Read the name and the repository of the project in `folder`. Raises UsageError if it has no name there."""
    from packaging.utils import InvalidName, canonicalize_name

    path = folder / "pyproject.toml"
    hint = "Run this where your project's pyproject.toml is."
    content = read_named(path, _MAX_PYPROJECT_BYTES, "the project's", hint)
    try:
        project = tomllib.loads(content.decode("utf-8")).get("project", {})
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    name = project.get("name") if isinstance(project, dict) else None
    try:
        if not isinstance(name, str):
            raise InvalidName("no name")
        canonical = canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(f"{path} has no valid [project] name", "PEP 621 says how it is written.") from error
    urls = project.get("urls", {})
    stated = [url for url in urls.values() if isinstance(url, str)] if isinstance(urls, dict) else []
    candidates = [_git_remote(folder), *stated]
    return ProjectFacts(canonical, next((url for text in candidates if (url := _as_https(text))), ""))


def _git_remote(folder: Path) -> str:
    return ask_git(folder, "config", "--get", "remote.origin.url") or ""  # without git, pyproject.toml's will do


def _as_https(address: str) -> str:
    """Turn a git remote or a web address into https://HOST/PATH; a user name or token in it is left out."""
    match = _WEB_LIKE.fullmatch(address) or _SCP_LIKE.fullmatch(address)
    if not match:
        return ""
    path = match[2].removesuffix("/").removesuffix(".git")
    return f"https://{match[1]}/{path}" if _PRINTABLE.fullmatch(path) else ""
