"""`sealwright verify`: the maintainer's check of a release folder."""

from pathlib import Path

import click

from sealwright.cli.verdict import FAIL_ON_NEW, REFRESH, announce, conclude
from sealwright.cli.world import LOG, audit_again, clock, find_gpg, show_progress
from sealwright.model.verdict import Use

DEFAULT_POLICY = Path("keys/policy.toml")
NO_POLICY = "sealwright init writes one for the project you stand in; --policy FILE names another."


@click.command(epilog="Example: sealwright verify release/")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("release"))
@click.option("--policy", type=click.Path(path_type=Path), help="The trust policy. [default: ./keys/policy.toml]")
@click.option("--version", "version", help="The version that the release must be.")
@click.option("--refresh-trust", is_flag=True, help=REFRESH)
@click.option("--fail-on-new", is_flag=True, help=FAIL_ON_NEW)
@click.option("--log", "log", type=click.Path(path_type=Path), metavar="FILE", help=LOG)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def command(
    folder: Path,
    policy: Path | None,
    version: str | None,
    refresh_trust: bool,
    fail_on_new: bool,
    log: Path | None,
    as_json: bool,
) -> int:
    """Verify the release in FOLDER (default: release/) against the policy of the project you stand in.

    This is the maintainer's command: it trusts ./keys/. To check a release of somebody else's, use
    verify-release, which never takes its policy from where you stand.
    """
    from sealwright.cli.record import warnings_of
    from sealwright.jobs.verify.release import parse_asked, verify_folder
    from sealwright.store.trust_folder import read_trust_folder

    asked = parse_asked(version) if version else None
    trust = read_trust_folder(policy or DEFAULT_POLICY, folder, NO_POLICY)
    announce(trust, as_json)
    verdict = verify_folder(
        folder, trust, asked=asked, clock=clock, gpg=find_gpg(), refresh=refresh_trust, progress=show_progress(),
        again=audit_again(fail_on_new),
    )  # fmt: skip
    verdict = verdict._replace(warnings=(*verdict.warnings, *warnings_of(trust, log)))
    return conclude(verdict, as_json, log, Use.OWN)
