"""`verify-release`: the end user's own command."""

from pathlib import Path
from typing import NoReturn

import click

from sealwright import __version__
from sealwright.cli.run import run


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: verify-release sampleproject==4.0.0 --from ./release --policy ./trust/policy.toml",
)
@click.argument("release", metavar="[NAME==]VERSION")
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
    help="The project's trust policy, which you got over another channel than the release.",
)
@click.option("--offline", is_flag=True, help="Open no network connection: only folders can be places.")
@click.option(
    "--refresh-trust",
    is_flag=True,
    help="Ask Sigstore for its present root of trust, over the network. [default: the one that was installed]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.version_option(__version__, prog_name="verify-release")
def command(
    release: str, artifacts: str | None, evidence: str | None, also: str | None, everything: bool, allow_yanked: bool,
    policy: Path | None, offline: bool, refresh_trust: bool, as_json: bool,
) -> int:  # fmt: skip
    """Tell whether a release may be trusted, before you install it.

    Exit code 0 means verified; every other code means: do not install.
    """
    import os

    from sealwright.cli.fetching import show_fetching
    from sealwright.cli.verdict import deliver
    from sealwright.cli.world import clock, find_gpg
    from sealwright.errors import UsageError
    from sealwright.jobs.fetch_release import Source, local_path
    from sealwright.jobs.verify_release import parse_asked, verified_release
    from sealwright.store.places.place import Rules
    from sealwright.store.trust_folder import read_trust_folder

    asked = parse_asked(release)
    if offline and refresh_trust:
        raise UsageError("--offline and --refresh-trust contradict each other", "Leave one of them out.")
    if policy is None:
        raise UsageError(
            "there is no policy to judge the release by",
            "Get the project's policy.toml and its keys over another channel than the release, such as its repository, "
            "then add --policy FILE.",
        )
    source = Source(artifacts, evidence, also, Rules(everything, allow_yanked), os.environ, offline)
    trust = read_trust_folder(policy, local_path(source))
    with verified_release(
        source, trust, asked=asked, clock=clock, gpg=find_gpg(), refresh=refresh_trust, progress=show_fetching()
    ) as verified:
        return deliver(verified.verdict, as_json)


def main() -> NoReturn:
    """Run `verify-release`."""
    run(command, "verify-release")


if __name__ == "__main__":
    main()
