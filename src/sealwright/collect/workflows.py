"""What the CI files of a project say of tokens: where it publishes without one, and which secrets it names.

Enters: the folder of a project. Leaves: `CiUse`. Runs nothing, and believes nothing more than that it is written there:
whether the index trusts the workflow is said at the index. GitHub's and GitLab's files are read; what they include from
elsewhere is not. https://docs.pypi.org/trusted-publishers/
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from sealwright.errors import UsageError
from sealwright.files.reading import read_named

_MAX_FILE_BYTES = 256 * 1024
_MAX_FILES = 200
_WORKFLOWS, _GITLAB = ".github/workflows", ".gitlab-ci.yml"
_ACTION = "pypa/gh-action-pypi-publish"
_SECRET = re.compile(
    r"\bsecrets\s{0,5}(?:\.\s{0,5}([A-Za-z_]\w{0,200})|\[\s{0,5}['\"]([A-Za-z_]\w{0,200})['\"])", re.ASCII
)
_GIVEN = "GITHUB_TOKEN"  # GitHub makes it for each run: nobody renews it
_MAX_ALIASES = 500


class CiUse(NamedTuple):
    """`trusted` are pairs of a service (pypi, testpypi) and the file that publishes there without a token; `secrets`
    pairs of the name of a secret and the file that uses it; `files` what was read.
    """

    trusted: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()


def collect_ci_use(folder: Path) -> CiUse:
    """Read the workflows and the pipeline of the project in `folder`; without any, nothing is said.

    Raises UsageError for a file that is no YAML or too large, UndecidedError for one that cannot be read.
    """
    trusted: dict[tuple[str, str], None] = {}
    secrets: dict[str, str] = {}
    names = _list(folder)
    for name in names:
        text = _read(folder / name)
        document = _parse(text, name)
        found = _gitlab(document) if name == _GITLAB else _github(document)
        trusted |= {(service, name): None for service in found}
        if name != _GITLAB:
            for one, other in _SECRET.findall(_without_comments(text)):
                secrets.setdefault((one or other).upper(), name)
    secrets.pop(_GIVEN, None)
    return CiUse(tuple(trusted), tuple(sorted(secrets.items())), tuple(names))


def _list(folder: Path) -> list[str]:
    found = []
    try:
        there = sorted(os.listdir(folder / _WORKFLOWS))
    except (FileNotFoundError, NotADirectoryError):
        there = []
    found = [f"{_WORKFLOWS}/{name}" for name in there if name.endswith((".yml", ".yaml"))]
    if len(found) > _MAX_FILES:
        raise UsageError(f"{folder / _WORKFLOWS} holds more than {_MAX_FILES} workflows")
    return found + ([_GITLAB] if os.path.lexists(folder / _GITLAB) else [])


def _read(path: Path) -> str:
    try:
        return read_named(path, _MAX_FILE_BYTES, "the CI file").decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start})") from error


def _parse(text: str, name: str) -> dict[str, Any]:
    """Read YAML into plain data; GitLab's own tags (!reference) stand for nothing."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # whichever is there
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    if len(re.findall(r"[*&]\w", text)) > _MAX_ALIASES:
        raise UsageError(f"{name} has too many anchors and aliases")
    try:
        document = yaml.load(text, Loader)  # noqa: S506  it is a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no YAML that can be read ({type(error).__name__})") from error
    return document if isinstance(document, dict) else {}


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(?:^|\s)#.*$", "", text)


def _github(document: dict[str, Any]) -> set[str]:
    """The services to which a job publishes by OIDC: the action without a password, in a job with `id-token: write`."""
    jobs = document.get("jobs")
    found = set()
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if not isinstance(job, dict) or not _may_identify(job.get("permissions", document.get("permissions"))):
            continue
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            if not isinstance(step, dict) or not str(step.get("uses", "")).lower().startswith(f"{_ACTION}@"):
                continue
            inputs = step.get("with")
            given = inputs if isinstance(inputs, dict) else {}
            if "password" not in given:
                url = str(given.get("repository-url") or given.get("repository_url") or "")
                found.add("testpypi" if "test.pypi.org" in url else "pypi" if not url or "pypi.org" in url else "other")
    return found - {"other"}


def _may_identify(permissions: object) -> bool:
    if isinstance(permissions, dict):
        return permissions.get("id-token") == "write"
    return permissions == "write-all"


def _gitlab(document: dict[str, Any]) -> set[str]:
    """The services for which a job asks GitLab for an identity token."""
    audiences: list[str] = []
    for job in document.values():
        tokens = job.get("id_tokens") if isinstance(job, dict) else None
        for token in tokens.values() if isinstance(tokens, dict) else ():
            audience = token.get("aud") if isinstance(token, dict) else None
            audiences += [str(each) for each in (audience if isinstance(audience, list) else [audience])]
    return {"pypi", "testpypi"} & set(audiences)
