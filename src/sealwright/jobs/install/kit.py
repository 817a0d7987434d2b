"""An offline kit: a verified release, its evidence and the trust folder, verified again where there is no network.

Enters: a release that passed, and the trust folder that judged it. Leaves: a new folder, which verifies by itself, or
nothing. What the kit says about trust is for its receiver to compare, and never to believe: the README says so.
"""

import contextlib
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from sealwright.errors import TamperedError, UndecidedError, UsageError
from sealwright.files.digest import digest_bytes
from sealwright.files.reading import open_regular, reason
from sealwright.files.writing import copy_whole, write_whole
from sealwright.model.artifact import MAX_ARTIFACT_BYTES
from sealwright.model.release import Release, ReleaseFile
from sealwright.model.verdict import Verdict
from sealwright.store.trust_folder import POLICY_FILE, TrustFolder
from sealwright.store.trust_sums import SUMS, render_sums

RELEASE, TRUST, README = "release", "trust", "README.md"
_README = """# {project} {version}, to be verified without a network

In `release/` lie the files of the release, with the signatures beside them. In `trust/` lies the policy that says who
may sign, with their public keys.

On a machine with Sealwright and GnuPG, in this folder:

    verify-release {project}=={version} --from release --policy trust/{policy} --offline

**Whoever gave you this folder could have written both parts of it.** So `VERIFIED` means something only if the trust
folder is the project's. Its fingerprint, which the command prints, must be

    {fingerprint}

not because it stands here, but because you know it from elsewhere: from the project's own pages, from a colleague, from
a machine where the project is pinned (`sealwright trust show {project}`). If you have pinned the project yourself,
leave the policy of this kit out, and your pin judges:

    verify-release {project}=={version} --from release --offline

Then install exactly what was verified:

    verify-release {project}=={version} --from release --policy trust/{policy} --offline --install

Dependencies are not in this kit.
"""


def refuse_kit(folder: Path) -> None:
    """Raise UsageError if a kit cannot be made at `folder`, because something is there."""
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already, and not an empty folder", "Name a new folder for the kit.")


def make_kit(
    folder: Path, release: Release, trust: TrustFolder, verdict: Verdict, judge: Callable[[Path, Path], Verdict]
) -> int:
    """Write a kit and let `judge` verify it, given its release and its policy; return how many files a release it has.

    Raises UsageError for a release of which only a part was fetched, TamperedError if bytes have changed meanwhile.
    """
    refuse_kit(folder)
    if release.fetched and (left := release.fetched.left):
        raise UsageError(
            f"{left[0].name} was not fetched, and a kit without it would not verify", "Fetch everything with --all."
        )
    part = folder.with_name(f".sealwright-kit-{folder.name}.part")  # a killed run's is removed by the next
    try:
        if part.exists():
            shutil.rmtree(part)
        (part / RELEASE).mkdir(parents=True)
        (part / TRUST).mkdir()
        for file in release.files:
            _put(file, part / RELEASE / file.name)
        _put_trust(part / TRUST, trust)
        text = _README.format(
            project=verdict.project, version=verdict.version, policy=shlex.quote(_policy_name(trust)),
            fingerprint=trust.fingerprint,
        )  # fmt: skip
        write_whole(part / README, text.encode())
        again = judge(part / RELEASE, part / TRUST / _policy_name(trust))
        if again.exit_code or again.policy.fingerprint != trust.fingerprint:
            failed = [*again.failed(), *again.undecided()]
            why = f": {failed[0].subject}: {failed[0].got}" if failed else ""
            raise UndecidedError(
                f"a kit of this release does not verify by itself{why}",
                "Such a release can only be verified where it is published. No kit was made.",
            )
        if folder.is_dir():
            folder.rmdir()
        os.rename(part, folder)
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(part, ignore_errors=True)
    return len(release.files)


def _put(file: ReleaseFile, path: Path) -> None:
    """Write a file of the release, if its bytes still are those that were verified."""
    if file.content or not file.path.name:
        write_whole(path, file.content)
        return
    source = open_regular(Path(file.path))
    try:
        copied = copy_whole(source, path, MAX_ARTIFACT_BYTES)
    finally:
        os.close(source)
    if copied.sha256 != file.sha256:
        raise TamperedError(f"{file.name} was exchanged after it was verified", "Find out by which process of yours.")


def _policy_name(trust: TrustFolder) -> str:
    return trust.path.name if trust.path.name.endswith(".toml") else POLICY_FILE


def _put_trust(folder: Path, trust: TrustFolder) -> None:
    files = (
        {_policy_name(trust): trust.content} | {f"{name}.asc": key for name, key in trust.keys.items()} | trust.others
    )
    listing = render_sums(files)
    if digest_bytes(listing) != trust.fingerprint:
        raise UndecidedError(f"{trust.path} was changed meanwhile, so that no kit can be made of it", "Run it again.")
    for name, content in (files | {SUMS: listing}).items():
        write_whole(folder / name, content)
