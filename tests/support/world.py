"""A sealed release with its policy, in a folder of the test's own, and the commands to run on it."""

import atexit
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sealwright.jobs.verify.release import parse_asked, verify_folder
from sealwright.model.verdict import Verdict
from sealwright.sandbox.keys import write_trust_folder
from sealwright.sandbox.project import build_sdist, build_wheel
from sealwright.store.trust_folder import read_trust_folder
from support.door import Door
from support.forge import Forge

PROJECT, VERSION = "tiny-project", "1.2.3"
WHEEL, SDIST = "tiny_project-1.2.3-py3-none-any.whl", "tiny_project-1.2.3.tar.gz"
SUMS = "SHA256SUMS"
TARGETS = (SUMS, WHEEL, SDIST)
GPG = shutil.which("gpg")
_MODULES = {"sealwright": "sealwright.cli.start", "verify-release": "sealwright.cli.plain_call"}


@dataclass
class World:
    folder: Path

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    @property
    def release(self) -> Path:
        return self.folder / "release"

    @property
    def policy(self) -> Path:
        return self.folder / "keys" / "policy.toml"

    def edit_policy(self, old: str, new: str) -> None:
        text = self.policy.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the policy"
        self.policy.write_text(text.replace(old, new))

    def judge(
        self, *, asked: str | None = f"{PROJECT}=={VERSION}", now: datetime | None = None, gpg: str | None = GPG
    ) -> Verdict:
        trust = read_trust_folder(self.policy, self.release)
        return verify_folder(
            self.release,
            trust,
            asked=parse_asked(asked) if asked else None,
            clock=lambda: now or datetime.now(UTC),
            gpg=gpg,
        )

    def run(self, *command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return run(*command, cwd=self.folder, **options)

    def verify(
        self, *more: str, asked: str = f"{PROJECT}=={VERSION}", **options: Any
    ) -> "subprocess.CompletedProcess[str]":
        return self.run("verify-release", asked, "--from", "release", "--policy", "keys/policy.toml", *more, **options)

    def seal(
        self, forge: Forge, signer: str, *more: str, dist: bool = True, **options: Any
    ) -> "subprocess.CompletedProcess[str]":
        where = ["dist"] if dist else []
        secret = forge.secret(signer).decode()
        return self.run("sealwright", "seal", *where, "--openpgp-key-file", "-", *more, input=secret, **options)


def run(
    *command: str, cwd: Path, env: dict[str, str] | None = None, **options: Any
) -> "subprocess.CompletedProcess[str]":
    """Run one of our commands in a process of its own: a fork of one that waits, where that makes no difference."""
    module, environment = _MODULES[command[0]], os.environ | (env or {})
    door = the_door() if sys.platform == "linux" else None
    if door and options.keys() <= {"input"} and door.fits(environment) and door.lock.acquire(blocking=False):
        try:
            return door.run(module, command[1:], cwd, environment, options.get("input"), 120)
        finally:
            door.lock.release()
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    program = [sys.executable, "-m", module, *command[1:]]
    return subprocess.run(
        program, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False, **options
    )


@cache
def the_door() -> Door:
    """The process that waits; there is one a worker, from its first command to its end."""
    door = Door()
    atexit.register(door.close)
    return door


def build(folder: Path, version: str = VERSION, name: str = PROJECT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    build_wheel(folder, name, version)
    build_sdist(folder, name, version)
    return folder


def make_world(folder: Path, forge: Forge, *, threshold: int = 1) -> World:
    """dist/ with a wheel and an sdist, and keys/ that list Alice and Bob; nothing sealed yet."""
    build(folder / "dist")
    people = {"alice": forge.alice, "bob": forge.bob}
    keys = {fingerprint: forge.public(fingerprint) for fingerprint in people.values()}
    expires = datetime.now(UTC) + timedelta(days=100)
    write_trust_folder(folder / "keys", PROJECT, people, keys, expires, threshold=threshold)
    return World(folder)


def outcomes(verdict: Verdict) -> set[tuple[str, str]]:
    return {(check.id, check.outcome.value) for check in verdict.checks}
