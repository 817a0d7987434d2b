"""`verify-release`: the end user's own command, as click reads it; sealwright.cli.answer does what it says."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sealwright import __version__
from sealwright.cli.answer import Asking, answer
from sealwright.cli.run import run
from sealwright.cli.world import LOG
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.cli.first_use import FirstUse


class _Command(click.Command):
    """A command that knows pip's options, and where they have to stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line as click does. Raises UsageError for an option of pip's before the `--`."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from sealwright.jobs.install.options import is_pip_option

            if not is_pip_option(error.option_name):
                raise
            raise UsageError(
                f"{error.option_name} is an option of pip's, and none of verify-release",
                "Options of pip's belong to --install, and stand behind --, as in: "
                "verify-release NAME==VERSION --install -- --python PYTHON",
            ) from error


@click.command(
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
    Examples, with a pin, without one, to install it, and of a file you have:
      verify-release sampleproject==4.0.0 --from ./release
      verify-release 4.0.0 --from ./release --policy ./trust/policy.toml
      verify-release sampleproject==4.0.0 --install -- --target ./packages
      verify-release ./sampleproject-4.0.0-py3-none-any.whl
    """,
)
@click.argument("release", metavar="[NAME==]VERSION|FILE")
@click.argument("pip_options", metavar="[-- PIP OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--from",
    "artifacts",
    metavar="PLACE",
    help="Where the release is: a folder, index[:URL], github[:OWNER/REPO] or url:URL. [default: as the policy says]",
)
@click.option(
    "--evidence-from",
    "evidence",
    metavar="PLACE",
    help="Where its evidence is. [default: there, too; with an index, as the policy says]",
)
@click.option("--also", metavar="PLACE", help="Another place, which must have the same bytes.")
@click.option("--all", "everything", is_flag=True, help="Verify also the files for other platforms and Pythons.")
@click.option("--allow-yanked", is_flag=True, help="Accept a release that its index calls back.")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="The project's trust policy, which you got over another channel than the release. [default: its pin]",
)
@click.option("--project", metavar="NAME", help="The project, if VERSION stands alone and several are pinned.")
@click.option(
    "--first-use",
    is_flag=True,
    help="Without a pin: show who published it (PEP 740), and remember them if you accept them.",
)
@click.option("--fingerprint", metavar="DIGITS", help="With --first-use: accept the publisher of this fingerprint.")
@click.option(
    "--trusted-root",
    type=click.Path(path_type=Path),
    help="With --first-use: another root of Sigstore, such as a rehearsal's. [default: production]",
)
@click.option("--offline", is_flag=True, help="Open no network connection: only folders can be places.")
@click.option(
    "--refresh-trust",
    is_flag=True,
    help="Ask Sigstore for its present root of trust, over the network. [default: the one that was installed]",
)
@click.option(
    "--fail-on-new",
    is_flag=True,
    help="Fail, too, if your index of advisories knows of something that the release's own audit did not.",
)
@click.option("--install", is_flag=True, help="Then install exactly what was verified, by pip, and compare the files.")
@click.option("--lock", type=click.Path(path_type=Path), help="With --install: its dependencies, by their digests.")
@click.option("--with-dependencies", is_flag=True, help="With --install: its dependencies, unverified, as pip chooses.")
@click.option("--require-file", type=click.Path(path_type=Path), help="Write hashed requirements, or a pylock.toml.")
@click.option("--kit", type=click.Path(path_type=Path), help="Write a folder that can be verified without a network.")
@click.option("--log", "log", type=click.Path(path_type=Path), metavar="FILE", help=LOG)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.version_option(__version__, prog_name="verify-release")
def command(
    release: str, pip_options: tuple[str, ...], artifacts: str | None, evidence: str | None, also: str | None,
    everything: bool, allow_yanked: bool, policy: Path | None, project: str | None, first_use: bool,
    fingerprint: str | None, trusted_root: Path | None, offline: bool, refresh_trust: bool,
    fail_on_new: bool, install: bool, lock: Path | None, with_dependencies: bool, require_file: Path | None,
    kit: Path | None, log: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Tell whether a release may be trusted, before you install it.

    Exit code 0 means verified; every other code means: do not install. Of a FILE, a wheel or an sdist that you have,
    just that is verified, by the evidence that its project publishes.
    """
    import os

    from sealwright.jobs.verify.fetch import Source
    from sealwright.store.places.place import PlaceKind, Rules, parse_place

    if pip_options and not pip_options[0].startswith("-"):
        from sealwright.cli.mistyped import refuse_word

        refuse_word(release, pip_options[0])
    if named := _named_by_file(release):
        if artifacts is not None:
            raise UsageError(
                f"{release} and --from both say what is verified", "--evidence-from says where its evidence is."
            )
        _refuse_absent(release)
        # ./ in front: a folder beside it that is called github:OWNER must not make a place of another kind of it.
        release, artifacts = named, release if parse_place(release).kind is PlaceKind.FILE else f"./{release}"
    if offline and (refresh_trust or lock or with_dependencies):
        other = "--refresh-trust" if refresh_trust else "--lock" if lock else "--with-dependencies"
        raise UsageError(f"--offline and {other} contradict each other", "Leave one of them out.")
    afterwards = None
    if install or pip_options or lock or with_dependencies or require_file or kit:
        from sealwright.cli.afterwards import read_afterwards

        afterwards = read_afterwards(install, pip_options, lock, with_dependencies, require_file, kit)
    first = _first_use(first_use, fingerprint, trusted_root, log)
    place = parse_place(artifacts) if artifacts is not None else None
    if kit and place and place.kind is PlaceKind.FILE:
        raise UsageError(f"a kit holds a whole release, and {place} is one file", "Ask for NAME==VERSION.")
    source: Path | Source = Source(artifacts, evidence, also, Rules(everything, allow_yanked), os.environ, offline)
    if place and place.kind is PlaceKind.DIR and evidence is None and also is None:
        source = Path(place.where)  # the whole release: nothing has to be asked
    return answer(Asking(release, source, policy, refresh_trust, as_json, project, log, fail_on_new, afterwards, first))


def _named_by_file(text: str) -> str:
    """NAME==VERSION of a wheel or an sdist, if that is what was named, and nothing else."""
    from sealwright.model.artifact import ArtifactNameError, is_uploaded, parse_artifact_name

    if not is_uploaded(text) or "://" in text:
        return ""
    try:
        found = parse_artifact_name(text.rpartition("/")[2])
    except ArtifactNameError as error:
        raise UsageError(
            f"{text[:200]} has no name of a wheel or an sdist: {error}", "Give it the name under which it was released."
        ) from error
    return f"{found.project}=={found.version}"


def _refuse_absent(file: str) -> None:
    """Refuse a file that is not there, before anybody looks for a policy of a project that was only mistyped."""
    import os

    try:
        os.stat(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{file} does not exist", "Name the file that you have.") from error
    except OSError:
        return  # whoever reads it says what it is


def _first_use(wanted: bool, fingerprint: str | None, trusted_root: Path | None, log: Path | None) -> "FirstUse | None":
    if not wanted:
        for option, value in (("--fingerprint", fingerprint), ("--trusted-root", trusted_root)):
            if value is not None:
                raise UsageError(f"{option} means nothing without --first-use", f"Leave {option} out.")
        return None
    from sealwright.cli.first_use import FirstUse

    return FirstUse(fingerprint, trusted_root, log)


def main() -> NoReturn:
    """Run `verify-release`."""
    run(command, "verify-release")


if __name__ == "__main__":
    main()
