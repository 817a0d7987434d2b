"""`sealwright rehearse`: the whole pipeline, without an entry in anybody's log."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sealwright.cli.verdict import announce, deliver
from sealwright.cli.verify import DEFAULT_POLICY, NO_POLICY
from sealwright.cli.world import clock, find_gpg, say, show_progress
from sealwright.errors import UsageError

if TYPE_CHECKING:
    from sealwright.sandbox.rehearsal import Cast
    from sealwright.store.trust_folder import TrustFolder

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: sealwright rehearse dist/")
@click.argument("dist", type=_PATH, default=Path("dist"))
@click.option("--policy", type=_PATH, help="The trust policy. [default: ./keys/policy.toml]")
@click.option("--sbom", type=_PATH, help="Release this SBOM (CycloneDX JSON) with them.")
@click.option("--audit", type=_PATH, help="Attest this audit: what sealwright audit --json printed.")
@click.option("--rekor", type=click.Choice(["1", "2"]), default="1", show_default=True, help="The log's version.")
@click.option("--keep", type=_PATH, help="Write the release into this new folder and keep it.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def command(
    dist: Path, policy: Path | None, sbom: Path | None, audit: Path | None, rekor: str, keep: Path | None, as_json: bool
) -> int:
    """Seal and verify DIST (default: dist/) as a release would be, with nothing published and no secret.

    Every signer of the policy takes their turn: with a Sigstore that runs on this machine for as long, and with
    throw-away OpenPGP keys. Everything else is the real sealing and the real verification. Made for pull requests.
    """
    from sealwright.store.trust_folder import read_trust_folder

    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(f"{keep} is not an empty folder", "Name a new folder.")
    trust = read_trust_folder(policy or DEFAULT_POLICY, keep or dist, NO_POLICY)
    announce(trust, as_json)
    if keep is not None:
        return _rehearse(_Inputs(dist, sbom, audit), keep, trust, int(rekor), as_json)
    with tempfile.TemporaryDirectory(prefix="sealwright-rehearsal-") as folder:
        return _rehearse(_Inputs(dist, sbom, audit), Path(folder) / "release", trust, int(rekor), as_json)


class _Inputs(NamedTuple):
    dist: Path
    sbom: Path | None
    audit: Path | None


def _rehearse(inputs: _Inputs, out: Path, trust: "TrustFolder", rekor: int, as_json: bool) -> int:
    from sealwright.collect.artifacts import collect_artifacts
    from sealwright.sandbox.rehearsal import cast

    version = str(collect_artifacts(inputs.dist).version)
    with cast(trust, version, find_gpg(), clock, rekor=rekor) as played:
        return _play(inputs, out, played, as_json)


def _play(inputs: _Inputs, out: Path, played: "Cast", as_json: bool) -> int:
    from sealwright.cli.build_facts import sbom_source
    from sealwright.jobs.seal.seal import seal
    from sealwright.jobs.verify.release import verify_folder

    for part in played.parts:
        if not part.with_what:
            continue
        say(f"{part.signer} signs with {part.with_what}", sys.stderr)
        sealed = seal(
            inputs.dist, out, played.trust, means=part.means, clock=clock, gpg=find_gpg(),
            sbom=sbom_source(inputs.sbom), audit=inputs.audit, progress=show_progress(),
        )  # fmt: skip
        if not sealed.waiting:
            break
    say("an end user verifies it", sys.stderr)
    verdict = verify_folder(out, played.trust, asked=None, clock=clock, gpg=find_gpg(), progress=show_progress())
    return deliver(verdict, as_json)
