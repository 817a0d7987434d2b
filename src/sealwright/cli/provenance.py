"""`sealwright provenance`: the SLSA provenance of a build, as a statement that nobody has signed yet."""

import json
import os
import sys
from pathlib import Path

import click

from sealwright.cli.build_facts import BuildOptions, build_options, collect_facts, sbom_source
from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
from sealwright.cli.world import say, show_progress
from sealwright.errors import ExitCode, UndecidedError, UsageError

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: sealwright provenance dist/ -o provenance.json")
@click.argument("dist", type=_PATH, default=Path("dist"))
@click.option("-o", "--output", type=_PATH, help="Write it to this file. [default: standard output]")
@click.option("--policy", type=_PATH, help="The trust policy, which says the tag. [default: ./keys/policy.toml]")
@click.option("--tag", metavar="TAG", help="The tag that it should be built from, such as v1.2.3. Needs no policy.")
@click.option("--sbom", type=_PATH, help="The SBOM or lock that is given to seal, too.")
@click.option("--builder", default="", metavar="URI", help="Who builds. [default: the identity of this CI job]")
@build_options
def command(
    dist: Path, output: Path | None, policy: Path | None, tag: str | None, sbom: Path | None, builder: str,
    requirements: Path | None, started: str, allow_doubts: bool,
) -> int:  # fmt: skip
    """Say how and from what the artifacts of DIST (default: dist/) were built: an in-toto Statement v1, SLSA v1.

    It is the statement that seal signs, made of the same facts: the checkout that you stand in, and the variables of
    the CI job. By itself it proves nothing. A build in doubt (changes or files in no commit,
    no tag or another one) is refused.
    """
    from sealwright.jobs.seal.provenance import make_provenance
    from sealwright.model.policy import Template
    from sealwright.model.statement import render_statement
    from sealwright.store.trust_folder import read_trust_folder

    if tag and policy:
        raise UsageError("--tag and --policy were both given", "The policy says the tag: leave one of them out.")
    project, template = "", Template(tag or "")
    if not tag:
        trust = read_trust_folder(policy or DEFAULT_POLICY, dist, f"{NO_POLICY} --tag TAG does without.").policy
        project, template = trust.project, trust.tag
    own = tuple(path for path in (dist, output, sbom) if path)
    asked = BuildOptions(started, requirements, allow_doubts, own)
    statement, facts = make_provenance(
        dist, sbom_source(sbom), template, project, lambda tag: collect_facts(tag, _builder(builder), asked),
        allow_doubts=allow_doubts, progress=show_progress(),
    )  # fmt: skip
    for doubt in facts.doubts:
        say(f"in doubt: {doubt}", sys.stderr)
    text = json.dumps(json.loads(render_statement(statement)), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return int(ExitCode.DONE)
    _write(output, text.encode())
    count = len(statement.subjects)
    say(f"wrote {output}: {count} artifact{'' if count == 1 else 's'}, not signed", sys.stderr)
    return int(ExitCode.DONE)


def _builder(given: str) -> str:
    """Who builds: as the user says, or as the token of this CI job says, which alone names a reusable workflow."""
    job = "true" in (os.environ.get("GITHUB_ACTIONS"), os.environ.get("GITLAB_CI"))
    if given and not job:
        raise UsageError("--builder was given outside of a CI job", "A local build has no builder but itself.")
    if given or not job:
        return given
    from sealwright.sign.identity import ambient_identity

    hint = "Give the job an identity as for seal (docs/seal-with-sigstore.md), or name the builder: --builder URI"
    try:
        identity = ambient_identity()
    except UsageError as error:
        raise UsageError(f"nothing says who builds: {error}", hint) from error
    if identity is None:
        raise UsageError("nothing says who builds: this job has no identity", hint)
    return identity.name


def _write(path: Path, content: bytes) -> None:
    from sealwright.files.reading import reason
    from sealwright.files.writing import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        raise UndecidedError(f"{path} cannot be written: {reason(error)}") from error
