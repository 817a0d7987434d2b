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
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder with the release: artifacts, SHA256SUMS, signatures.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="The project's trust policy, which you got over another channel than the release.",
)
@click.option("--offline", is_flag=True, help="Open no network connection. (A folder never needs one.)")
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
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.version_option(__version__, prog_name="verify-release")
def command(
    release: str,
    folder: Path,
    policy: Path | None,
    offline: bool,
    refresh_trust: bool,
    fail_on_new: bool,
    as_json: bool,
) -> int:
    """Tell whether a release may be trusted, before you install it.

    Exit code 0 means verified; every other code means: do not install.
    """
    from sealwright.cli.verdict import deliver
    from sealwright.cli.world import audit_again, clock, find_gpg, show_progress
    from sealwright.errors import UsageError
    from sealwright.jobs.verify_release import parse_asked, verify_folder
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
    trust = read_trust_folder(policy, folder)
    verdict = verify_folder(
        folder, trust, asked=asked, clock=clock, gpg=find_gpg(), refresh=refresh_trust, progress=show_progress(),
        again=audit_again(fail_on_new),
    )  # fmt: skip
    return deliver(verdict, as_json)


def main() -> NoReturn:
    """Run `verify-release`."""
    run(command, "verify-release")


if __name__ == "__main__":
    main()
