"""What `seal` and `provenance` ask of the build: the options, and the facts of the job and the checkout at hand."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from sealwright.jobs.seal.sbom import SbomSource
    from sealwright.model.buildfacts import BuildFacts

_PATH = click.Path(path_type=Path)


class BuildOptions(NamedTuple):
    """What the user says of the build: when it began, with what it was made, and whether doubts may be written down.

    `own` are the files and folders that the command reads and writes: they may be in no commit.
    """

    started: str = ""
    requirements: Path | None = None
    allow_doubts: bool = False
    own: tuple[Path, ...] = ()


def build_options(function: Any) -> Any:
    """Add the options; the command is given them by the names of the fields of `BuildOptions`."""
    for option in reversed(
        (
            click.option(
                "--build-requirements",
                "requirements",
                type=_PATH,
                metavar="FILE",
                help="With what it was built: pip's --report FILE.json, or a lock with hashes.",
            ),
            click.option(
                "--build-started",
                "started",
                default="",
                metavar="TIME",
                help="When the build began (RFC 3339). [default: as the CI job says, or left out]",
            ),
            click.option(
                "--allow-doubts",
                is_flag=True,
                help="Write down in the provenance what speaks against the build, and go on.",
            ),
        )
    ):
        function = option(function)
    return function


def collect_facts(tag: str, identity: str, asked: BuildOptions) -> "BuildFacts":
    """Collect the facts of the build of the project that one stands in."""
    from sealwright.cli.world import clock
    from sealwright.collect.built.build_facts import collect_build

    return collect_build(
        os.environ, Path(), tag, identity, clock(), started=asked.started,
        requirements=asked.requirements, own=asked.own,
    )  # fmt: skip


def sbom_source(path: Path | None) -> "SbomSource | None":
    """Return the SBOM or lock that was named, with the time that SOURCE_DATE_EPOCH gives it."""
    if path is None:
        return None
    from sealwright.cli.world import source_date_epoch
    from sealwright.jobs.seal.sbom import SbomSource

    return SbomSource(path, source_date_epoch())
