"""`sealwright step`: run a step of the build and write a signed link of it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.seal import opener_of, read_passphrase_fd
from sealwright.cli.signing_key import OPENPGP_KEY, OPENPGP_KEY_FILE, PASSPHRASE_FD
from sealwright.cli.world import LOG, find_gpg, read_stdin
from sealwright.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
    Example:
      sealwright step build --materials src --materials pyproject.toml \\
        --products 'dist/*' --key-file step.pem -- python -m build
    """
)
@click.argument("name")
@click.option("--materials", multiple=True, metavar="PATTERN", help="Files, folders or patterns that it starts from.")
@click.option("--products", multiple=True, metavar="PATTERN", help="Files, folders or patterns that come of it.")
@OPENPGP_KEY
@OPENPGP_KEY_FILE
@click.option("--key-file", metavar="FILE|-", help="Sign with the private key in FILE (PEM: Ed25519, P-256 or RSA).")
@PASSPHRASE_FD
@click.option("--out", type=_PATH, default=Path("layout"), show_default=True, help="Where the link is written.")
@click.option("--log", "log", type=_PATH, metavar="FILE", help=LOG)
@click.argument("command_line", metavar="-- COMMAND [ARG]...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    name: str, materials: tuple[str, ...], products: tuple[str, ...], openpgp_key: str | None,
    openpgp_key_file: str | None, key_file: str | None, passphrase_fd: int | None, out: Path, log: Path | None,
    command_line: tuple[str, ...],
) -> int:  # fmt: skip
    """Run COMMAND as the step NAME of the build, and write NAME.KEYID.link: its files before and after, signed.

    The exit code is the command's own. Its output is shown, and kept in no file. Patterns are those of a shell; quote
    those of files that are still to be made.
    """
    from sealwright.cli.record import by, log_for, record
    from sealwright.jobs.log_events import written_events
    from sealwright.jobs.step import Step, run_step
    from sealwright.model.log_entry import Action
    from sealwright.render.text import plain

    if sum(map(bool, (openpgp_key, openpgp_key_file, key_file))) != 1:
        raise UsageError(
            "a link is signed with one key",
            "Add --key-file FILE, --openpgp-key FINGERPRINT or --openpgp-key-file FILE.",
        )
    audit_log = log_for(log)
    with _open(openpgp_key, openpgp_key_file, key_file, passphrase_fd) as signer:
        ran = run_step(Step(name, materials, products, command_line), signer, out)
    click.echo(f"wrote {plain(str(ran.link))}", err=True)
    detail = (("step", name), ("returned", str(ran.returned)))
    record(audit_log, *written_events((ran.link,), Action.SIGN, "signed", by(), detail))
    if ran.returned:
        click.echo(f"the command returned {ran.returned}: this link makes every verification fail", err=True)
        return ran.returned
    for pattern in ran.missing:
        click.echo(f"nothing was made that {plain(pattern)} fits", err=True)
    return int(ExitCode.MISSING if ran.missing else ExitCode.DONE)


@contextlib.contextmanager
def _open(key: str | None, armored: str | None, pem: str | None, passphrase_fd: int | None) -> "Iterator[Signer]":
    """Open the signer before the step is run, so that a build of an hour does not end without a link."""
    from sealwright.sign.intoto import MAX_KEY_FILE_BYTES, signer_by_key_file, signer_by_openpgp

    if pem is not None:
        from sealwright.files.reading import read_named

        content = (
            read_stdin(MAX_KEY_FILE_BYTES, "a key")
            if pem == "-"
            else read_named(Path(pem), MAX_KEY_FILE_BYTES, "the key file")
        )
        yield signer_by_key_file(content, read_passphrase_fd(passphrase_fd) if passphrase_fd is not None else None)
        return
    opener = opener_of(find_gpg(), key, armored, passphrase_fd)
    if opener is None:
        raise UsageError("a link is signed with one key")
    with opener() as signer:
        yield signer_by_openpgp(signer)
