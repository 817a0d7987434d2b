"""The `sealwright` command: a table of commands, of which only the one that is called is imported."""

from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from sealwright import __version__
from sealwright.cli.run import run
from sealwright.errors import ExitCode

# name: (module, one line of help). Help and completion read this table and import nothing else.
COMMANDS = {
    "audit": ("audit", "Hold every dependency against known advisories, and say what was not looked at."),
    "demo": ("demo", "See a release sealed, verified, attacked and refused. No network, nothing kept."),
    "explain": ("explain", "Show what a piece of evidence says, without believing it."),
    "init": ("init", "Write a trust policy for the project you stand in."),
    "keys": ("keys", "Make, list, extend, rotate and revoke the OpenPGP keys of the policy."),
    "layout": ("layout", "Make, sign or show an in-toto layout: who may run which step of the build."),
    "log": ("log", "Show, verify, sign and export the audit log."),
    "provenance": ("provenance", "Say how and from what dist/ was built (SLSA), unsigned."),
    "rehearse": ("rehearse", "Seal and verify dist/ with a Sigstore of this machine's own: nothing is published."),
    "remind": ("remind", "Show what must be renewed, and until when: tokens, keys, the policy."),
    "reproduce": ("reproduce", "Rebuild a release from its source, and compare bit for bit. Runs the project's code."),
    "sandbox": ("sandbox", "Run a Sigstore of your own to rehearse with, on this machine only."),
    "sbom": ("sbom", "Say what a release consists of (CycloneDX); score or embed such a document."),
    "seal": ("seal", "Seal the artifacts of dist/ into a release folder."),
    "step": ("step", "Run a step of the build, and write a signed in-toto link of it."),
    "tokens": ("tokens", "Register tokens, keep their secrets in the keyring, mint short-lived ones."),
    "trust": ("trust", "Pin whom you trust for a project, once, for verify-release."),
    "verify-artifact": ("verify_artifact", "Check one file against one Sigstore bundle, without a policy."),
    "verify": ("verify", "Verify a release folder against ./keys/policy.toml."),
    "withdraw": ("withdraw", "Call a release back, and see what else has to be done."),
}


class _Table(click.Group):
    """A group that shows its help and completes its names without loading a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"sealwright.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.command(
    cls=_Table,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: sealwright demo\nEnd users verify with: verify-release --help",
)
@click.version_option(__version__, prog_name="sealwright")
@click.pass_context
def command(ctx: click.Context) -> int | None:
    """Seal the releases of a Python project, and check the seal before you install."""
    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help(), err=True)
    return int(ExitCode.USAGE)


def main() -> NoReturn:
    """Run `sealwright`."""
    run(command, "sealwright")


if __name__ == "__main__":
    main()
