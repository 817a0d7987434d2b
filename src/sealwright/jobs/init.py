"""Starting: a commented policy and a README in keys/, for the project one stands in.

Enters: the project's facts. Leaves: two new files. Overwrites nothing.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sealwright.collect.built.project import ProjectFacts, collect_project
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.reading import reason
from sealwright.files.writing import write_whole
from sealwright.jobs.unfit import NO_REPOSITORY

_LIFETIME = timedelta(days=365)
_GITHUB, _GITLAB = "https://github.com/", "https://gitlab.com/"


class _Host(NamedTuple):
    """What a code host calls things: where it keeps a release's evidence, and as whom its CI signs."""

    evidence: str
    identity: str
    issuer: str


def init(folder: Path, now: datetime) -> tuple[Path, ...]:
    """Write keys/policy.toml and keys/README.md below `folder` and return their paths.

    Raises UsageError if one of them is there already, or the project has no name.
    """
    facts = collect_project(folder)
    keys = folder / "keys"
    files = {keys / "policy.toml": render_policy(facts, now), keys / "README.md": render_readme(facts)}
    for path in files:
        if path.is_symlink() or path.exists():
            raise UsageError(f"{path} is already there, and is not overwritten", "Edit it, or move it away first.")
    try:
        keys.mkdir(exist_ok=True)
        for path, text in files.items():
            write_whole(path, text.encode())
    except OSError as error:
        raise UndecidedError(f"{keys} cannot be written: {reason(error)}") from error
    return tuple(files)


def render_policy(facts: ProjectFacts, now: datetime) -> str:
    """Write a policy that asks for one OpenPGP signer, whose fingerprint its reader has to fill in."""
    repository = facts.repository or NO_REPOSITORY
    host = _host_of(repository)
    return f"""# What a release of {facts.name} must prove, and who may vouch for it (docs/policy.md of Sealwright).
# Users judge your releases by a copy of this folder that they got from you, never by what a release brings along.

schema = 1
project = "{facts.name}"
repository = "{repository}"
version = 1                      # of this policy: raise it with every change, also of a key file
expires = {now + _LIFETIME:%Y-%m-%d}T00:00:00Z   # after this day nothing verifies: review it before
sigstore-root = "production"     # production, staging, or a file in this folder

[places]                         # where a release lives: index, github:OWNER/REPO, or an https:// URL
artifacts = "index"
evidence = "{host.evidence}"

[release]
tag = "v{{version}}"
# evidence = ["publish-attestations"]  # if you publish less than seal writes: docs/policy.md says what is possible

[require]                        # every key must be here; what is not required is 0 or false
signers = 1                      # how many different signers must vouch for every artifact
openpgp = 1                      # at least so many of them with OpenPGP
sigstore = 0
release = false
provenance = false
sbom = false
audit = false
layout = false

# One [[signer]] for each person or workflow. `sealwright keys new` or `sealwright keys add` lists one (docs/keys.md
# of Sealwright). By hand: put the public key beside this file,
#     gpg --armor --export FINGERPRINT > keys/FINGERPRINT.asc
# then remove the # before the next four lines and fill in the fingerprint (gpg --list-keys shows it).

# [[signer]]
# name = "release manager"
# [[signer.openpgp]]
# fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"

# Or without a key, with Sigstore: set openpgp = 0 and sigstore = 1 above, and list the workflow that releases
# (docs/seal-with-sigstore.md of Sealwright). `sealwright rehearse dist/` then tries it, with nothing published.

# [[signer]]
# name = "release workflow"
# [[signer.sigstore]]
# identity = "{host.identity}@refs/tags/v{{version}}"
# oidc-issuer = "{host.issuer}"
# source-repository = "{repository}"
# source-ref = "refs/tags/v{{version}}"
"""


def _host_of(repository: str) -> _Host:
    """Where docs/ci/ of Sealwright publishes a release, and who signs it there; any other host is taken for GitHub."""
    if repository.startswith(_GITLAB):
        path = quote(repository.removeprefix(_GITLAB), safe="")
        packages = f"{_GITLAB}api/v4/projects/{path}/packages/generic/{repository.rpartition('/')[2]}/{{version}}"
        return _Host(packages, f"{repository}//.gitlab-ci.yml", "https://gitlab.com")
    place = repository.removeprefix(_GITHUB)
    evidence = f"github:{place}" if place != repository and place.count("/") == 1 else "index"
    workflow = f"{repository}/.github/workflows/release.yml"
    return _Host(evidence, workflow, "https://token.actions.githubusercontent.com")


def render_readme(facts: ProjectFacts) -> str:
    """Write the README of a trust folder."""
    return f"""# Who may release {facts.name}

This folder is the trust folder of {facts.name}: `policy.toml` says what a release must prove, and each
`FINGERPRINT.asc` is the public key of somebody who may vouch for one. It holds no secret.

To check a release, get this folder over another channel than the release, compare its fingerprint, pin it once, and
verify each release before you install it:

    sealwright trust pin THIS_FOLDER
    verify-release {facts.name}==VERSION --from RELEASE_FOLDER

A key gets in by a change to this folder that another maintainer reviews, after its fingerprint was compared in
person or over a call. A key that is lost or stolen is revoked, exported again, and stays here.
"""
