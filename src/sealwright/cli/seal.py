"""`sealwright seal`: the CI step after the build, and the maintainer's signature at a desk."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.build_facts import BuildOptions, build_options, sbom_source
from sealwright.cli.signing_key import OPENPGP_KEY, OPENPGP_KEY_FILE, PASSPHRASE_FD
from sealwright.cli.verdict import announce, deliver
from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
from sealwright.cli.world import LOG, clock, find_gpg, log_place, read_stdin, say, show_progress, style
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.jobs.seal.seal import Sealed
    from sealwright.jobs.seal.task import OpenSigner
    from sealwright.sign.openpgp import AskPassphrase

_PATH = click.Path(path_type=Path)
_WAYS_OUT = (
    "Three ways: --passphrase-fd N, the system keyring (keyring set sealwright openpgp:{}), "
    "or run it on a terminal, where it asks."
)
_KEY_FILE = "It is what sealwright keys export FINGERPRINT --secret-subkey FILE wrote."
_MAX_PASSPHRASE_BYTES = 4096


@click.command(
    epilog="""\b
    Examples: at a desk, in CI, in CI with Sigstore, and as a second signer:
      sealwright seal dist/ --openpgp-key FINGERPRINT
      sealwright seal dist/ --openpgp-key-file - --passphrase-fd 3 \\
        <<<"$SIGNING_KEY" 3<<<"$PASSPHRASE"
      sealwright seal dist/ --yes
      sealwright seal --openpgp-key FINGERPRINT
    """
)
@click.argument("dist", type=_PATH, required=False)
@click.option("--out", type=_PATH, default=Path("release"), show_default=True, help="The release folder to write.")
@click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
@click.option("--sbom", type=_PATH, help="Release this SBOM (CycloneDX JSON), or one of this lock, with them.")
@click.option("--audit", type=_PATH, help="Attest this audit of the release: what sealwright audit --json printed.")
@OPENPGP_KEY
@OPENPGP_KEY_FILE
@PASSPHRASE_FD
@click.option(
    "--no-openpgp", is_flag=True, help="Leave the OpenPGP signature that the policy requires to another signer."
)
@click.option(
    "--identity-token", metavar="FILE|-", help="Sign with Sigstore as this OIDC token says. [default: as this CI job]"
)
@click.option(
    "--trust-config", type=_PATH, help="The Sigstore instance to sign with. [default: the public one of the policy]"
)
@click.option(
    "--no-sigstore", is_flag=True, help="Leave the Sigstore signature that the policy requires to another signer."
)
@click.option(
    "--pypi-attestations",
    type=_PATH,
    metavar="DIR",
    help="Write PEP 740 attestations, too, where twine or uv will upload from.",
)
@click.option(
    "--layout", type=_PATH, metavar="DIR", help="Take the in-toto layout and the links of the build from this folder."
)
@build_options
@click.option("--yes", is_flag=True, help="Publish the entries in Sigstore's public log without asking.")
@click.option("--require-complete", is_flag=True, help="Exit 11 while signatures of other signers are still missing.")
@click.option("--log", "log", type=_PATH, metavar="FILE", help=LOG)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def command(
    dist: Path | None, out: Path, policy: Path | None, sbom: Path | None, audit: Path | None,
    openpgp_key: str | None, openpgp_key_file: str | None,
    passphrase_fd: int | None, no_openpgp: bool, identity_token: str | None, trust_config: Path | None,
    no_sigstore: bool, pypi_attestations: Path | None, layout: Path | None, requirements: Path | None, started: str,
    allow_doubts: bool, yes: bool, require_complete: bool, log: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Seal the wheel and the sdist in DIST into a release folder, with the evidence that the policy requires.

    Nothing is written into DIST. A second run changes nothing; a run that was interrupted is finished by the
    next one. Without DIST, your signature is added to a release folder that another signer has begun.
    """
    from sealwright.cli.record import by, log_for, record, remark, warnings_of
    from sealwright.cli.sigstore import remember_doubts, sigstore_means
    from sealwright.jobs.log_events import list_signatures, seal_events, unfinished_events
    from sealwright.jobs.seal.seal import seal
    from sealwright.jobs.seal.task import Means
    from sealwright.store.trust_folder import read_trust_folder

    trust = read_trust_folder(policy or DEFAULT_POLICY, out, NO_POLICY)
    announce(trust, as_json)
    gpg = find_gpg()
    opener = opener_of(gpg, openpgp_key, openpgp_key_file, passphrase_fd)
    from_stdin = [openpgp_key_file == "-", identity_token == "-", passphrase_fd == 0]  # noqa: S105  no secret
    if sum(from_stdin) > 1:
        raise UsageError("two secrets cannot both come from standard input")
    if no_sigstore and pypi_attestations:
        raise UsageError(
            "--no-sigstore and --pypi-attestations contradict each other", "The attestations are signed with Sigstore."
        )
    left = _left("openpgp", opener is not None, no_openpgp) | _left("sigstore", bool(identity_token), no_sigstore)
    given = (dist, out, sbom, audit, layout, pypi_attestations, trust_config, log_place(log).path)
    own = tuple(path for path in given if path is not None)
    asked = BuildOptions(started, requirements, allow_doubts, own)
    sigstore = sigstore_means(trust, identity_token, trust_config, pypi_attestations, yes=yes, build=asked)
    sigstore, doubts = remember_doubts(sigstore)
    means, source = Means(opener, sigstore, left, layout), sbom_source(sbom)
    audit_log = log_for(log)
    for warning in warnings_of(trust, log):
        say(f"warning: {warning}", sys.stderr)
    before = list_signatures(out)
    try:
        sealed = seal(
            dist, out, trust, means=means, clock=clock, gpg=gpg, sbom=source, audit=audit, progress=show_progress()
        )
    except BaseException as error:
        why = error
        remark(audit_log, lambda by: unfinished_events(trust, out, before, why, by))
        raise
    _report(sealed, out)
    code = int(sealed.exit_code(require_complete=require_complete))
    if as_json:
        deliver(sealed.verdict, as_json)
    else:
        from sealwright.render.text import render_sealed

        click.echo(render_sealed(sealed.verdict, sealed.waiting, style()), nl=False)
    record(audit_log, *seal_events(sealed, trust, audit_log, out, tuple(doubts), by()))
    return code


def _left(kind: str, given: bool, leave: bool) -> frozenset[str]:
    """The kinds of evidence that are left to another signer; whoever leaves Sigstore to others leaves all it signs."""
    if leave and given:
        raise UsageError(f"--no-{kind} was given, and something to sign with, too", "Leave one of them out.")
    by_sigstore = {"sigstore", "publish", "release", "provenance", "sbom", "audit"}
    return frozenset() if not leave else frozenset(by_sigstore if kind == "sigstore" else {kind})


def _report(sealed: "Sealed", out: Path) -> None:
    for name in sealed.strays:
        say(f"left out: {name} is neither a wheel nor an sdist", sys.stderr)
    for text in sealed.unknown:
        say(f"not known to the SBOM: {text}", sys.stderr)
    count = len(sealed.written)
    say(
        f"wrote {count} file{'s' if count > 1 else ''} to {out}"
        if count
        else f"nothing to write: your part of {out} is there already",
        sys.stderr,
    )


def opener_of(gpg: str | None, key: str | None, file: str | None, passphrase_fd: int | None) -> "OpenSigner | None":
    """Return what opens the signer, or None if no key was given."""
    from sealwright.sign.openpgp import MAX_KEY_FILE_BYTES, signer_from_file, signer_from_keyring

    if key and file:
        raise UsageError("--openpgp-key and --openpgp-key-file cannot both be given")
    if passphrase_fd is not None and not (key or file):
        raise UsageError("--passphrase-fd was given without a key", "Add --openpgp-key or --openpgp-key-file.")
    if key:
        fingerprint = key.replace(" ", "").upper()
        if len(fingerprint) not in (40, 64) or not all(c in "0123456789ABCDEF" for c in fingerprint):
            raise UsageError(
                f"{key} is not the full fingerprint of a key (40 or 64 hex digits)",
                "gpg --list-secret-keys shows it.",
            )
        return lambda: signer_from_keyring(gpg, fingerprint, passphrase_from(passphrase_fd))
    if file:
        from sealwright.files.reading import read_named

        if file == "-" and passphrase_fd == 0:
            raise UsageError("the key and the passphrase cannot both come from standard input")
        armored = (
            read_stdin(MAX_KEY_FILE_BYTES, "a key")
            if file == "-"
            else read_named(Path(file), MAX_KEY_FILE_BYTES, "the key file", _KEY_FILE)
        )
        place = "standard input" if file == "-" else f"the key file {file}"
        return lambda: signer_from_file(gpg, armored, passphrase_from(passphrase_fd), place)
    return None


def passphrase_from(descriptor: int | None) -> "AskPassphrase":
    """Return a function that finds the passphrase: on the descriptor, in the keyring, or by asking on a terminal."""

    def ask(fingerprint: str) -> str:
        if descriptor is not None:
            return read_passphrase_fd(descriptor)
        from sealwright.store.secrets import read_passphrase

        stored = read_passphrase(fingerprint)
        if stored is not None:
            return stored
        if not sys.stdin.isatty():
            raise UsageError(f"the key {fingerprint} needs its passphrase", _WAYS_OUT.format(fingerprint))
        answer: str = click.prompt(f"Passphrase of {fingerprint}", hide_input=True, err=True)
        return answer

    return ask


def read_passphrase_fd(descriptor: int) -> str:
    """Read one line from a file descriptor. Raises UsageError."""
    try:
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            content = stream.read(_MAX_PASSPHRASE_BYTES + 1)
        line = content.split(b"\n", 1)[0].removesuffix(b"\r").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the passphrase cannot be read from descriptor {descriptor}", _WAYS_OUT.format("FINGERPRINT")
        ) from error
    if not content.strip(b"\r\n"):
        from sealwright.sign.openpgp import NOT_SET

        raise UsageError(f"descriptor {descriptor} holds no passphrase: it is empty", NOT_SET)
    if len(content) > _MAX_PASSPHRASE_BYTES or not line or "\0" in line or "\r" in line:
        raise UsageError(f"descriptor {descriptor} holds no passphrase", _WAYS_OUT.format("FINGERPRINT"))
    return line
