"""`verify-release`: the end user's own command, as click reads it; sealwright.cli.answer does what it says."""

from pathlib import Path
from typing import NoReturn

import click

from sealwright import __version__
from sealwright.cli.answer import Asking, answer
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
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.version_option(__version__, prog_name="verify-release")
def command(release: str, folder: Path, policy: Path | None, offline: bool, refresh_trust: bool, as_json: bool) -> int:
    """Tell whether a release may be trusted, before you install it.

    Exit code 0 means verified; every other code means: do not install.
    """
    return answer(Asking(release, folder, policy, offline, refresh_trust, as_json))


def main() -> NoReturn:
    """Run `verify-release`."""
    run(command, "verify-release")


if __name__ == "__main__":
    main()
