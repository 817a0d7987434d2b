"""`sealwright reproduce`: rebuild a release from its source, and compare bit for bit."""

import os
from pathlib import Path

import click

from sealwright.cli.verdict import announce, deliver
from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
from sealwright.cli.world import clock, find_gpg, show_progress, style

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: sealwright reproduce release/ --source .")
@click.argument("folder", metavar="DIR", type=_PATH, default=Path("release"))
@click.option(
    "--source", default="", metavar="REPO", help="The repository to clone: a folder, or a URL. [default: the policy's]"
)
@click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
@click.option("--commit", default="", metavar="SHA", help="Rebuild this commit. Without --policy, nothing is verified.")
@click.option(
    "--no-isolation", is_flag=True, help="Build offline, with the backend that is installed beside Sealwright."
)
@click.option(
    "--source-date-epoch", "epoch", type=click.IntRange(0, 2**32 - 1), help="[default: the time of the commit]"
)
@click.option(
    "--timeout",
    "seconds",
    type=click.IntRange(1, 86_400),
    default=1800,
    show_default=True,
    help="For the build, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    folder: Path, source: str, policy: Path | None, commit: str, no_isolation: bool, epoch: int | None, seconds: int,
    as_json: bool,
) -> int:  # fmt: skip
    """Rebuild the release in DIR (default: release/) from its source, and compare bit for bit.

    THIS RUNS THE PROJECT'S CODE, as you, with your network. Never run it where secrets are: use a machine,
    a container or a user that has none.

    The release is verified first; the commit is the one that its verified provenance names. Exit code 0: the
    same, bit for bit. 10: content differs. 40: the same content, but other time stamps, modes, order or packing.
    3: it could not be built, or not all of it.
    """
    from sealwright.jobs.reproduce import reproduce
    from sealwright.jobs.reproduce_build import Recipe
    from sealwright.render.reproduction import render_reproduction, render_reproduction_json
    from sealwright.render.text import plain
    from sealwright.store.trust_folder import read_trust_folder

    trust = None if commit and policy is None else read_trust_folder(policy or DEFAULT_POLICY, folder, NO_POLICY)
    if trust:
        announce(trust, as_json)
    recipe = Recipe(os.environ.get("PATH", os.defpath), source, commit, not no_isolation, epoch, seconds)
    done = reproduce(
        folder,
        trust,
        recipe,
        clock=clock,
        gpg=find_gpg(),
        say=lambda text: click.echo(f"sealwright: {plain(text)}", err=True),
        progress=show_progress(),
    )
    if done.reproduction is None and done.verdict and not as_json:
        return deliver(done.verdict, as_json)
    result = done.reproduction or done.verdict
    if result is None:
        raise AssertionError("nothing was judged and nothing built")
    code = int(result.exit_code)
    if as_json:
        click.echo(render_reproduction_json(done.reproduction, done.verdict, code), nl=False)
    elif done.reproduction:
        click.echo(render_reproduction(done.reproduction, done.verdict, style()), nl=False)
    return code
