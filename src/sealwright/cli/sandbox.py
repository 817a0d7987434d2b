"""`sealwright sandbox`: a Sigstore of one's own, until it is interrupted."""

import contextlib
import os
import re
import secrets
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from sealwright.cli.world import clock, say
from sealwright.errors import ExitCode, UndecidedError, UsageError

if TYPE_CHECKING:
    from sealwright.sandbox.places import Places
    from sealwright.sandbox.sigstore import GitHubClaims, Sigstore

_RENEWAL_SECONDS = 120
_TOKEN_MINUTES = 10
_EMAIL = "alice@example.com"
_CONFIGS = {
    "trust_config-rekor1.json": (1, False),
    "trust_config-rekor1-timestamps.json": (1, True),
    "trust_config-rekor2-timestamps.json": (2, True),
}
_SECRETS = ("email.token", "github.token", "github.env")


@click.command(epilog="Example: sealwright sandbox --out /tmp/sandbox")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Write its files into this new folder.")
@click.option("--email", default=_EMAIL, show_default=True, help="Make a token for this address.")
@click.option(
    "--repository", default="example/project", show_default=True, help="Make a token for this GitHub project."
)
@click.option("--ref", default="refs/tags/v1.2.3", show_default=True, help="... at this git reference.")
@click.option(
    "--publish",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also run an index, release pages and a web folder, with this release folder in them.",
)
def command(out: Path, email: str, repository: str, ref: str, publish: Path | None) -> int:
    """Run a whole Sigstore on this machine to rehearse with: OIDC, Fulcio, Rekor, timestamps, TUF.

    Any client can sign and verify with it. It listens on 127.0.0.1 only, makes new keys at each start, and what it
    vouches for is worth nothing. It runs until it is interrupted (Ctrl-C), which is its normal end.
    """
    for option, value, pattern in (
        ("--email", email, r"[!-~]+@[!-~]+"),
        ("--repository", repository, r"[\w.-]+/[\w.-]+"),
        ("--ref", ref, r"refs/[!-~]+"),
    ):
        if not re.fullmatch(pattern, value, re.ASCII):
            raise UsageError(f"{value!r} is nothing to make a token for", f"See {option} in --help.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder", "Name a new folder.")
    from sealwright.sandbox.sigstore import GitHubClaims

    published = _name_release(publish) if publish else None
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        _run(out, email, GitHubClaims(repository=repository, ref=ref), published)
    except KeyboardInterrupt:
        return int(ExitCode.DONE)
    except OSError as error:
        raise UndecidedError(f"the sandbox cannot run: {error.strerror or error}") from error
    finally:
        for name in _SECRETS:
            with contextlib.suppress(OSError):
                (out / name).unlink()


class _ReleaseFolder(NamedTuple):
    """A release folder to publish, and what is in it."""

    folder: Path
    project: str
    version: str


def _name_release(folder: Path) -> _ReleaseFolder:
    """Find out what is in a release folder, by the names of its files. Raises UsageError."""
    from sealwright.model.artifact import ArtifactNameError, parse_artifact_name

    for name in sorted(os.listdir(folder)):
        with contextlib.suppress(ArtifactNameError):
            found = parse_artifact_name(name)
            return _ReleaseFolder(folder, found.project, str(found.version))
    raise UsageError(f"{folder} holds no wheel and no sdist", "Name a release folder, as sealwright seal writes it.")


def _run(out: Path, email: str, claims: "GitHubClaims", published: _ReleaseFolder | None) -> NoReturn:
    """Serve, and renew the tokens, until the interrupt."""
    from sealwright.sandbox.sigstore import running_sigstore

    with contextlib.ExitStack() as stack:
        sigstore = stack.enter_context(running_sigstore(clock))
        _write_trust(sigstore, out)
        _write_tokens(sigstore, out, email, claims)
        _explain(out, email, claims, sigstore)
        if published:
            from sealwright.sandbox.places import running_places

            _publish(stack.enter_context(running_places(clock)), published, claims)
        click.echo("\nRunning until it is interrupted (Ctrl-C).")
        while True:
            time.sleep(_RENEWAL_SECONDS)
            _write_tokens(sigstore, out, email, claims)


def _write_trust(sigstore: "Sigstore", out: Path) -> None:
    sigstore.write_trusted_root(out / "trusted_root.json")
    sigstore.write_tuf_root(out / "tuf_root.json")
    for name, (rekor, timestamps) in _CONFIGS.items():
        sigstore.write_trust_config(out / name, rekor=rekor, timestamps=timestamps)


def _write_tokens(sigstore: "Sigstore", out: Path, email: str, claims: "GitHubClaims") -> None:
    """Write fresh tokens; those of the last time still work until they expire."""
    from datetime import timedelta

    lifetime = timedelta(minutes=_TOKEN_MINUTES)
    _write_secret(out / "email.token", sigstore.email_token(email, lifetime=lifetime))
    _write_secret(out / "github.token", sigstore.github_token(claims, lifetime=lifetime))
    if not (out / "github.env").exists():
        variables = sigstore.github_environment(claims)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        _write_secret(out / "github.env", "".join(lines))


def _write_secret(path: Path, content: str) -> None:
    """Put a file in place that only this user may read, whole or not at all."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    target = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(target, "w") as stream:
        stream.write(content)
    os.replace(part, path)


def _explain(out: Path, email: str, claims: "GitHubClaims", sigstore: "Sigstore") -> None:
    from sealwright.render.text import plain
    from sealwright.sandbox.sigstore import EMAIL_ISSUER, GITHUB_ISSUER

    written = ["trusted_root.json", "tuf_root.json", *_CONFIGS, *_SECRETS]
    for name in written:
        say(f"wrote {out / name}", sys.stdout)
    folder = shlex.quote(str(out))
    config = f"{folder}/trust_config-rekor1-timestamps.json"
    by_email = f"--cert-identity {shlex.quote(email)} --cert-oidc-issuer {EMAIL_ISSUER}"
    by_github = f"--cert-identity {shlex.quote(claims.identity)} --cert-oidc-issuer {GITHUB_ISSUER}"
    tuf = sigstore.urls.tuf
    say(f"The tokens last ten minutes and are renewed every two. The TUF repository is {tuf}.", sys.stdout)
    # The commands are left whole, for a terminal's own breaks are not in what is copied from it.
    click.echo("\nSign FILE as a person, and verify it:")
    click.echo(plain(f'  sigstore --trust-config {config} sign --identity-token "$(cat {folder}/email.token)" FILE'))
    click.echo(plain(f"  sigstore --trust-config {config} verify identity {by_email} FILE"))
    click.echo("Sign FILE as a GitHub workflow, which fetches its own token, and verify it:")
    click.echo(plain(f"  (. {folder}/github.env; sigstore --trust-config {config} sign --overwrite FILE)"))
    trusted = f"--bundle FILE.sigstore.json --trusted-root {folder}/trusted_root.json --offline"
    click.echo(plain(f"  sealwright verify-artifact FILE {trusted} {by_github}"))


def _publish(places: "Places", release: _ReleaseFolder, claims: "GitHubClaims") -> None:
    """Publish a release folder everywhere, and say where it is."""
    from sealwright.render.text import plain
    from sealwright.sandbox.places import publisher_of

    tag = claims.ref.removeprefix("refs/tags/")
    done = places.publish(
        release.folder, project=release.project, version=release.version, repository=claims.repository, tag=tag,
        publisher=publisher_of(claims),
    )  # fmt: skip
    api = f"{places.github.api}/repos/{claims.repository}/releases/tags/{tag}"
    click.echo()
    say(f"{release.folder} is published: the index is {places.index.url}, the release", sys.stdout)
    say(f"page is {api}, the web folder is {done.url}", sys.stdout)
    click.echo("Fetch it:")
    wanted = f"{release.project}=={release.version}"
    click.echo(plain(f"  pip download --isolated --no-deps --index-url {places.index.url} {wanted}"))
