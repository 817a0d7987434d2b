"""`sealwright sbom`: make a software bill of materials, score one, put one into a wheel."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import Commands
from sealwright.cli.world import source_date_epoch
from sealwright.errors import ExitCode, UndecidedError, UsageError

if TYPE_CHECKING:
    from sealwright.jobs.sbom.request import SbomRequest

_PATH = click.Path(path_type=Path)
_EXTRA = re.compile(r"(.*?)\[([A-Za-z0-9._, -]{1,500})\]", re.DOTALL)


class _MakeByDefault(Commands):
    """A group whose first argument may be an input: `sbom WHEEL` is `sbom make WHEEL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_MakeByDefault,
    subcommand_metavar="[make] WHEEL|LOCKFILE|ENVIRONMENT",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: sealwright sbom dist/pkg-1.2.3-py3-none-any.whl -o pkg.cdx.json",
)
def command() -> None:
    """Say what a release consists of, as a CycloneDX 1.6 document; score such documents; embed them."""


def _options(function: Any) -> Any:
    """The options of whatever makes an SBOM."""
    for option in reversed(
        (
            click.option("--extra", "extras", multiple=True, metavar="NAME", help="Follow this extra, too."),
            click.option(
                "--author", default="", metavar="NAME", help="Who makes this SBOM: a person or an organisation."
            ),
            click.option("--index-url", default="", metavar="URL", help="The package index. [default: PyPI]"),
            click.option("--no-nested", is_flag=True, help="Do not fetch the wheels to link the SBOMs inside them."),
        )
    ):
        function = option(function)
    return function


@command.command(
    short_help="Make an SBOM; the word may be left out.",
    epilog="""\b
    Example:
      sealwright sbom pylock.toml --project pkg==1.2.3 \\
        --artifact dist/pkg-1.2.3.tar.gz
    """,
)
@click.argument("source", metavar="WHEEL|LOCKFILE|ENVIRONMENT")
@click.option("-o", "--output", type=_PATH, help="Write it to this file. [default: standard output]")
@_options
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Follow this dependency group of a lock, too.")
@click.option("--project", default="", metavar="NAME[==VERSION]", help="The project, where the input does not say it.")
@click.option(
    "--artifact", "artifacts", type=_PATH, multiple=True, help="A wheel or sdist of the project, to be hashed."
)
@click.option("--no-validate", is_flag=True, help="Do not hold the result against the CycloneDX schema.")
@click.option("--offline", is_flag=True, help="Open no connection. Licences, suppliers and hashes may be missing then.")
def make(
    source: str, output: Path | None, extras: tuple[str, ...], author: str, index_url: str, no_nested: bool,
    no_validate: bool, groups: tuple[str, ...], project: str, artifacts: tuple[Path, ...], offline: bool,
) -> int:  # fmt: skip
    """Make the SBOM of a wheel (what pip would install with it), of a lock file, or of a virtual environment.

    A lock is pylock.toml, uv.lock, or a requirements file with hashes. No code of a dependency runs. The same input
    gives the same bytes; the timestamp is that of SOURCE_DATE_EPOCH.
    """
    from sealwright.jobs.sbom.sbom import build_sbom

    asked = _request(source, extras, author, index_url)._replace(
        groups=groups, artifacts=artifacts, offline=offline, nested=not no_nested
    )
    if project:
        name, version = _project(project)
        asked = asked._replace(project=name, version=version)
    made = build_sbom(asked, validate=not no_validate)
    if output:
        _write(output, made.content)
    else:
        sys.stdout.buffer.write(made.content)
    _report(made.inventory.unknown, output, len(made.inventory.packages), asked)
    return int(ExitCode.DONE)


def _request(source: str, extras: tuple[str, ...], author: str, index_url: str) -> "SbomRequest":
    """Take WHEEL[extra] apart, and read what the environment says."""
    from sealwright.jobs.sbom.request import SbomRequest

    named = _EXTRA.fullmatch(source)
    if named and not os.path.lexists(source):
        source, extras = named[1], (*extras, *(extra.strip() for extra in named[2].split(",") if extra.strip()))
    for extra in extras:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", extra):
            raise UsageError(f"{extra!r} is no name of an extra", "PEP 685 says how it is written.")
    if index_url:
        from sealwright.collect.contents.index import check_index_url

        check_index_url(index_url)
    return SbomRequest(
        Path(source),
        tuple(dict.fromkeys(extras)),
        author=" ".join(author.split()),
        index_url=index_url,
        epoch=source_date_epoch(),
        variables=dict(os.environ),
    )


def _project(text: str) -> tuple[str, str]:
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version

    name, _, version = text.partition("==")
    try:
        return canonicalize_name(name.strip(), validate=True), str(Version(version)) if version else ""
    except (InvalidName, InvalidVersion) as error:
        raise UsageError(f"{text!r} is not NAME or NAME==VERSION", "Such as: --project pkg==1.2.3") from error


def _write(path: Path, content: bytes) -> None:
    from sealwright.files.reading import reason
    from sealwright.files.writing import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error


def _report(unknown: tuple[str, ...], output: Path | None, count: int, asked: "SbomRequest") -> None:
    from sealwright.render.text import plain

    for text in unknown:
        click.echo(f"not known: {plain(text)}", err=True)
    missing = [] if asked.author else ["no author (--author NAME)"]
    missing += [] if asked.epoch is not None else ["no timestamp (SOURCE_DATE_EPOCH)"]
    if missing:
        click.echo(f"left out: {', '.join(missing)}", err=True)
    if output:
        whole = "the root alone" if not count else f"{count + 1:,} components, the root among them"
        click.echo(f"wrote {plain(str(output))}: {whole}", err=True)


@command.command(
    short_help="Score an SBOM against the minimum elements.",
    epilog="Example: sealwright sbom check pkg-1.2.3.cdx.json --min-score 90",
)
@click.argument("file", type=_PATH)
@click.option(
    "--min-score",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="End with exit code 12 below this, 0 to 100.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the score as JSON.")
def check(file: Path, min_score: int, as_json: bool) -> int:
    """Score an SBOM of any tool, CycloneDX or SPDX, against the minimum elements of NTIA and CISA.

    Says what is missing for which component. An SBOM that is not valid against its schema ends with exit code 12.
    """
    from sealwright.cli.world import style
    from sealwright.jobs.sbom.check import check_sbom
    from sealwright.render.sbom_score import render_score, render_score_json

    score = check_sbom(file, min_score)
    click.echo(render_score_json(score) if as_json else render_score(score, style()), nl=False)
    return int(score.exit_code)


@command.command(
    short_help="Put an SBOM into a wheel (PEP 770).",
    epilog="Example: sealwright sbom embed dist/pkg-1.2.3-py3-none-any.whl",
)
@click.argument("wheel", metavar="WHEEL")
@click.option("--sbom", type=_PATH, help="Embed this CycloneDX file. [default: make one]")
@click.option("-o", "--output", type=_PATH, help="Write the new wheel here. [default: replace WHEEL]")
@_options
def embed(
    wheel: str, sbom: Path | None, output: Path | None, extras: tuple[str, ...], author: str, index_url: str,
    no_nested: bool,
) -> int:  # fmt: skip
    """Put an SBOM into a wheel (PEP 770), before it is sealed: a wheel that is signed already would change.

    RECORD is rewritten; the root of the SBOM has no hash, because it cannot name the wheel that it is in.
    """
    from sealwright.jobs.sbom.embed import embed_sbom
    from sealwright.render.text import plain

    asked = _request(wheel, extras, author, index_url)._replace(nested=not no_nested)
    target = output / asked.path.name if output and output.is_dir() else output
    done = embed_sbom(asked, finished=sbom, output=target)
    if sbom is None:
        _report(done.unknown, None, 0, asked)
    click.echo(f"wrote {plain(str(done.path))}\n  sha256:{done.sha256}")
    return int(ExitCode.DONE)
