"""`verify-release`: the end user's own command."""

from pathlib import Path
from typing import NoReturn

import click

from sealwright import __version__
from sealwright.cli.run import run


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: verify-release sampleproject==4.0.0 --from ./release    "
    "Without a pin: verify-release sampleproject==4.0.0 --from ./release --policy ./trust/policy.toml",
)
@click.argument("release", metavar="[NAME==]VERSION")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder with the release: artifacts, SHA256SUMS, signatures.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="The project's trust policy, which you got over another channel than the release. [default: its pin]",
)
@click.option("--project", metavar="NAME", help="The project, if VERSION stands alone and several are pinned.")
@click.option("--offline", is_flag=True, help="Open no network connection. (A folder never needs one.)")
@click.option(
    "--refresh-trust",
    is_flag=True,
    help="Ask Sigstore for its present root of trust, over the network. [default: the one that was installed]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.version_option(__version__, prog_name="verify-release")
def command(
    release: str,
    folder: Path,
    policy: Path | None,
    project: str | None,
    offline: bool,
    refresh_trust: bool,
    as_json: bool,
) -> int:
    """Tell whether a release may be trusted, before you install it.

    Exit code 0 means verified; every other code means: do not install.
    """
    from sealwright.cli.pinned import find_trust
    from sealwright.cli.verdict import deliver
    from sealwright.cli.world import clock, find_gpg, log_override, show_progress
    from sealwright.errors import UsageError
    from sealwright.jobs.verify_release import parse_asked, with_project
    from sealwright.jobs.verify_remembering import verify_remembering

    asked = with_project(parse_asked(release), project)
    if offline and refresh_trust:
        raise UsageError("--offline and --refresh-trust contradict each other", "Leave one of them out.")
    trust, pin, data = find_trust(policy, asked, folder)
    verdict = verify_remembering(
        folder, trust, data, pin=pin, asked=asked, clock=clock, gpg=find_gpg(), refresh=refresh_trust,
        progress=show_progress(), log=log_override,
    )  # fmt: skip
    return deliver(verdict, as_json)


def main() -> NoReturn:
    """Run `verify-release`."""
    run(command, "verify-release")


if __name__ == "__main__":
    main()
