"""`sealwright explain`: what evidence says, unverified; and how other programs check a release that verified."""

from pathlib import Path

import click

from sealwright.cli.world import clock, data_folder, find_gpg, show_progress, style

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: sealwright explain release/pkg-1.2.3.tar.gz.sigstore.json")
@click.argument("path", metavar="BUNDLE|ATTESTATION|DIR", type=_PATH)
@click.option("--policy", type=_PATH, help="Verify DIR by this policy, and show how other programs check the same.")
@click.option("--json", "as_json", is_flag=True, help="Print what it says as JSON.")
def command(path: Path, policy: Path | None, as_json: bool) -> int:
    """Show what a piece of evidence says, without believing it.

    Who signed, when, and what about: all of it is what the evidence itself claims, and whoever made the file could
    write anything. Exit code 0 means that it could be read.
    """
    from sealwright.jobs.explain import Explained, explain, explain_release
    from sealwright.model.verdict import Result
    from sealwright.render.commands import release_commands, render_commands
    from sealwright.render.explanation import render_explanation
    from sealwright.render.explanation_json import render_explanation_json
    from sealwright.store.trust_folder import read_trust_folder

    if policy is None:
        explained = Explained(explain(path))
    else:
        trust = read_trust_folder(policy, path)
        explained = explain_release(
            path,
            trust,
            data=data_folder(),
            clock=clock,
            gpg=find_gpg(),
            progress=show_progress(),
        )
    explanation, verdict = explained
    beside = policy.resolve() if policy and policy.is_symlink() else policy  # the keys lie where the file itself does
    passed = verdict is not None and verdict.result is Result.PASSED
    commands = release_commands(trust.policy, verdict.version, str(beside), explanation) if verdict and passed else ()
    # A release that did not verify never ends with 0, whatever of it could be read.
    code = int(verdict.exit_code if verdict and not passed else explanation.exit_code)
    if as_json:
        click.echo(render_explanation_json(explanation, code, verdict, commands), nl=False)
    else:
        click.echo(render_explanation(explanation, style()), nl=False)
        if verdict:
            click.echo("\n" + render_commands(verdict, commands, style()), nl=False)
    return code
