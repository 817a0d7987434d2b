"""`sealwright verify-artifact`: one file, one Sigstore bundle, one identity."""

from pathlib import Path

import click

from sealwright.cli.world import LOG, clock, show_progress, style

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
    Example:
      sealwright verify-artifact pkg-1.2.3.tar.gz \\
        --bundle pkg-1.2.3.tar.gz.sigstore.json \\
        --cert-identity \\
        https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1.2.3 \\
        --cert-oidc-issuer https://token.actions.githubusercontent.com
    """
)
@click.argument("file", metavar="FILE|sha256:HEX")
@click.option("--bundle", type=_PATH, required=True, help="The Sigstore bundle: a signature, or a signed statement.")
@click.option(
    "--cert-identity", "identity", required=True, help="Who must have signed: the certificate's identity, exactly."
)
@click.option("--cert-oidc-issuer", "issuer", required=True, help="Who must have said so: the oidc issuer, exactly.")
@click.option("--trusted-root", type=_PATH, help="The trusted root. [default: production, as sigstore-python ships it]")
@click.option("--offline", is_flag=True, help="Open no network connection. (It never does.)")
@click.option("--log", "log", type=click.Path(path_type=Path), metavar="FILE", help=LOG)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def command(
    file: str, bundle: Path, identity: str, issuer: str, trusted_root: Path | None, offline: bool, log: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Check one file against one Sigstore bundle, without a policy.

    A statement in the bundle (a DSSE envelope) must name the file's digest as a subject. This is plumbing: whether
    a release may be trusted is what verify-release answers.
    """
    from sealwright.jobs.verify.artifact import verify_artifact
    from sealwright.render.artifact import render_artifact, render_artifact_json

    verdict = verify_artifact(file, bundle, identity, issuer, trusted_root, now=clock(), progress=show_progress())
    try:
        click.echo(render_artifact_json(verdict) if as_json else render_artifact(verdict, style()), nl=False)
    finally:
        if verdict.exit_code:
            from sealwright.cli.record import remark
            from sealwright.jobs.log_events import artifact_events

            remark(log, lambda by: artifact_events(verdict, by))
    return int(verdict.exit_code)
