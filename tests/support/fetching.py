"""A release that is published in the sandbox's places, fetched and judged in this process or by the command."""

import os
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealwright.errors import SealwrightError
from sealwright.files import private
from sealwright.files.web_answer import Patience
from sealwright.jobs.verify.fetch import Source
from sealwright.jobs.verify.release import How, parse_asked, verified_release
from sealwright.model.verdict import Verdict
from sealwright.sandbox.places import Places
from sealwright.store.places.place import Rules
from sealwright.store.release_folder import PRIVATE_PREFIX
from sealwright.store.trust_folder import read_trust_folder
from support.world import GPG, PROJECT, VERSION, World

REPO = "o/r"
PATIENT = Patience(attempts=3, connect=20, stall=20, pause=0.01, longest=1, least=60, slowest=10**6)


class Answered(NamedTuple):
    """What came of it: a verdict, or an error."""

    code: int
    verdict: Verdict | None = None
    error: SealwrightError | None = None

    def failed(self) -> set[tuple[str, str]]:
        assert self.verdict, self.error and self.error.message
        return {(check.id, check.subject) for check in self.verdict.failed()}

    def said(self) -> str:
        assert self.error, self.verdict
        return f"{self.error.message}\n{self.error.hint}"


def environment(places: Places, folder: Path, **more: str) -> dict[str, str]:
    """What a user has who uses the sandbox's places and nothing of this machine's configuration."""
    said = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": places.index.url, "GITHUB_API_URL": places.github.api}
    return (
        said
        | {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        | more
    )


def publish(world: World, places: Places, **more: Any) -> None:
    places.publish(world.release, project=PROJECT, version=VERSION, repository=REPO, **more)


def judge(
    world: World, places: Places, *, asked: str = f"{PROJECT}=={VERSION}", rules: Rules = Rules(), patience: Patience = PATIENT,  # noqa: B008
    environ: dict[str, str] | None = None, **source: Any,
) -> Answered:  # fmt: skip
    try:
        trust = read_trust_folder(world.policy, None)
        said = Source(rules=rules, environ=environ or environment(places, world.folder), patience=patience, **source)
        with verified_release(said, trust, How(parse_asked(asked), lambda: datetime.now(UTC), GPG)) as verified:
            copies = [Path(file.path) for file in verified.release.files if file.path.name]  # evidence is in memory
            assert copies
            assert all(path.parent.name.startswith(PRIVATE_PREFIX) for path in copies)
            return Answered(int(verified.verdict.exit_code), verified.verdict)
    except SealwrightError as error:
        return Answered(int(error.exit_code), None, error)
    finally:
        assert not leftovers()


def leftovers() -> set[Path]:
    """The private folders that lie where this test lets them be made (`own_temporary`)."""
    return set(Path(tempfile.gettempdir()).glob("sealwright-*"))


def own_temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have every private folder of this process made in a folder of the test's own, so that it sees what is left."""
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(private, "MEMORY", folder)
    return folder


def command(
    world: World, places: Places, *more: str, asked: str = f"{PROJECT}=={VERSION}", env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    given = environment(places, world.folder) | (env or {})
    return world.run("verify-release", asked, "--policy", "keys/policy.toml", *more, env=given)
