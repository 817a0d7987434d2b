"""What `verify-release` does after a verdict of pass, while the verified bytes are kept: install, write a file, a kit.

Enters: `Afterwards`. Leaves: an exit code, after saying what was done. Nothing runs for a release that did not pass.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.cli.world import clock, find_gpg, log_install, say, style
from sealwright.errors import SealwrightError, UsageError
from sealwright.jobs.install.install import Installed, InstallRequest, install_release
from sealwright.jobs.install.options import PipOptions, parse_pip_options
from sealwright.model.record import Record
from sealwright.model.verdict import Verdict

if TYPE_CHECKING:
    from sealwright.jobs.verify.release import Verified
    from sealwright.model.release import ReleaseFile
    from sealwright.store.trust_folder import TrustFolder

_MOST = 12


class Afterwards(Record):
    """What was asked for besides the verdict; `options` is None if nothing is to be installed."""

    options: PipOptions | None = None
    lock: Path | None = None
    with_dependencies: bool = False
    require_file: Path | None = None
    kit: Path | None = None


def read_afterwards(
    install: bool, words: tuple[str, ...], lock: Path | None, with_dependencies: bool,
    require_file: Path | None, kit: Path | None,
) -> Afterwards | None:  # fmt: skip
    """Return what the options ask for, None if nothing. Raises UsageError: before anything is fetched or judged."""
    if not install and (words or lock or with_dependencies):
        what = words[0][:80] if words else "--lock" if lock else "--with-dependencies"
        raise UsageError(f"{what!r} is only for --install", "Leave it out: a verification alone has no use for it.")
    if lock and with_dependencies:
        raise UsageError("--lock and --with-dependencies contradict each other", "Leave one of them out.")
    if lock:
        from sealwright.jobs.install.dependencies import read_lock

        read_lock(lock)
    if kit:
        from sealwright.jobs.install.kit import refuse_kit

        kit = Path(os.path.abspath(kit))
        refuse_kit(kit)
    if not install and not require_file and not kit:
        return None
    options = parse_pip_options(words, os.environ, sys.executable) if install else None
    return Afterwards(options, lock, with_dependencies, require_file, kit)


def refuse_unfit(asked: Afterwards, trust: "TrustFolder", release: Path | None) -> None:
    """Raise UsageError for a kit that cannot be made, or would lie in the release: before anything is judged."""
    if asked.kit is None:
        return
    if trust.policy.is_first_use:
        raise UsageError(
            "a kit holds the policy that judges it, and a first use has none",
            "Pin the project's policy (sealwright trust pin), or leave --kit out.",
        )
    if release is not None and asked.kit.resolve().is_relative_to(release.resolve()):
        raise UsageError(
            f"the kit {asked.kit} would lie in the release {release}, which would not verify any more",
            "Name a folder elsewhere.",
        )


def carry_out(
    asked: Afterwards,
    verified: "Verified",
    trust: "TrustFolder",
    folder: Path | None,
    *,
    as_json: bool,
    log: Path | None = None,
) -> int:
    """Do what was asked for, of a release that passed; `folder` is where it lies, if it stays there.

    Raises a SealwrightError if something could not be done.
    """
    verdict = verified.verdict
    if verdict.exit_code:
        raise AssertionError("only what passed is used")
    judged = {(artifact.name, artifact.sha256) for artifact in verdict.artifacts}
    artifacts = tuple(file for file in verified.release.files if (file.name, file.sha256) in judged)
    said: list[tuple[str, list[tuple[str, list[str]]]]] = []
    if asked.kit:
        count = _make_kit(asked.kit, verified, trust)
        read = f"{asked.kit / 'README.md'} says how to verify it, and what to compare"
        texts = [f"{asked.kit}, with {count} files of the release", read]
        said.append((f"KIT  {verdict.project} {verdict.version}", [("written", texts)]))
        folder = asked.kit / "release"
    if asked.require_file:
        from sealwright.jobs.install.require_file import write_require_file

        addresses = dict(verified.release.fetched.addresses) if verified.release.fetched else {}
        count = write_require_file(asked.require_file, artifacts, folder, addresses)
        text = f"{asked.require_file}, for {count} {'file' if count == 1 else 'files'}"
        how = _how_to_require(asked.require_file, artifacts, folder)
        said.append((f"REQUIRED  {verdict.project} {verdict.version}", [("written", [text]), ("next", how)]))
    _print(said, as_json)
    if asked.options:
        request = InstallRequest(asked.options, os.environ, asked.lock, asked.with_dependencies)
        installed = _install(verdict, artifacts, request, log)
        title = "WOULD BE INSTALLED" if installed.is_dry else "INSTALLED"
        _print([(f"{title}  {verdict.project} {verdict.version}", _say(installed, request))], as_json)
    return 0


def _how_to_require(path: Path, artifacts: "tuple[ReleaseFile, ...]", folder: Path | None) -> list[str]:
    """Return the lines of the command that installs by the file; from the folder, where the release lies in one."""
    from shlex import quote

    from sealwright.jobs.install.require_file import is_pylock

    if is_pylock(path):
        return [f"uv pip install --no-deps -r {quote(str(path))}"]
    lines = ["python -m pip install --no-deps --require-hashes \\"]  # which a terminal would else break anywhere
    lines += ["  --only-binary :all: \\"] if any(file.name.endswith(".whl") for file in artifacts) else []
    lines += [f"  --no-index --find-links {quote(str(folder))} \\"] if folder else []
    return [*lines, f"  -r {quote(str(path))}"]


def _make_kit(kit: Path, verified: "Verified", trust: "TrustFolder") -> int:
    from sealwright.jobs.install.kit import make_kit
    from sealwright.jobs.verify.release import parse_asked, verify_folder
    from sealwright.store.trust_folder import read_trust_folder

    asked = parse_asked(f"{verified.verdict.project}=={verified.verdict.version}")

    def judge(release: Path, policy: Path) -> Verdict:
        return verify_folder(release, read_trust_folder(policy, release), asked=asked, clock=clock, gpg=find_gpg())

    return make_kit(kit, verified.release, trust, verified.verdict, judge)


def _install(
    verdict: Verdict, artifacts: "tuple[ReleaseFile, ...]", request: InstallRequest, log: Path | None
) -> Installed:
    thing = f"{verdict.project} {verdict.version}"
    try:
        installed = install_release(artifacts, request)
    except SealwrightError as error:
        _log(log, thing, f"not installed: {error.message}", "failed")
        raise
    if not installed.is_dry:
        unverified = f"; not verified: {', '.join(installed.unverified)}" if installed.unverified else ""
        _log(log, thing, f"installed {installed.wheel} sha256:{installed.sha256} into {installed.where}{unverified}")
    return installed


def _log(given: Path | None, thing: str, what: str, outcome: str = "done") -> None:
    """Put it into the audit log. That this cannot be done does not undo what was installed, but is said."""
    try:
        log_install(given, thing, what, outcome)
    except SealwrightError as error:
        say(f"sealwright: warning: that is not in the audit log: {error.message}", sys.stderr)


def _say(done: Installed, request: InstallRequest) -> list[tuple[str, list[str]]]:
    wheel = done.wheel if done.is_dry else f"{done.wheel}: {done.files} files, each compared with the verified wheel"
    lines = [("wheel", [wheel]), ("into", [done.where]), ("by", [f"pip {done.pip} of {done.python}"])]
    if done.mended:
        lines.append(("repaired", [f"a half-installed {name} was in the way" for name in done.mended]))
    if done.locked:
        lines.append(("locked", [f"{done.locked} dependencies, by the digests of {request.lock}"]))
    if done.unverified:
        did = "would install" if done.is_dry else "installed"
        lines.append(("unverified", [f"what pip {did} for it: {', '.join(done.unverified)}"]))
    elif request.with_dependencies:
        lines.append(("unverified", ["nothing: pip had nothing to install for it"]))
    if done.starts:
        lines.append(("runs", [f"whenever that Python starts: {', '.join(done.starts)}"]))
    if done.beside:
        said = "its files are there, too: remove them, or install into a new folder"
        lines.append(("beside", [f"{name}: {said}" for name in done.beside]))
    if done.missing:
        more = ["--lock FILE installs them by their digests, --with-dependencies unverified"]
        lines.append(("lacking", [*done.missing[:_MOST], *more]))
    return lines


def _print(said: list[tuple[str, list[tuple[str, list[str]]]]], as_json: bool) -> None:
    from sealwright.render.install import render_installed
    from sealwright.render.text import PLAIN

    for title, lines in said:
        text = render_installed(title, lines, PLAIN if as_json else style())
        print(text, end="", flush=True, file=sys.stderr if as_json else sys.stdout)
