"""A policy that its users could do nothing with: who publishes it is told, and whoever fetches such a release."""

from pathlib import Path

import pytest
from support.keyless import POLICY
from support.policies import policy_text
from support.world import World

from sealwright.jobs.unfit import NO_REPOSITORY, find_unfit
from sealwright.model.policy_toml import parse_draft

SIGNER = '[[signer]]\nname = "alice"\n[[signer.openpgp]]\nfingerprint = "{}"\n'.format("A" * 40)
SIGNED = policy_text(SIGNER, openpgp=1)
TAG = 'tag = "v{version}"\n'


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (SIGNED, "takes no checksums, openpgp"),
        (POLICY, "takes no checksums, sigstore"),
        (SIGNED.replace('evidence = "index"', 'evidence = "github:o/r"'), ""),
        (SIGNED.replace('evidence = "index"', 'evidence = "https://example.org/{version}"'), ""),
        (POLICY.replace(TAG, TAG + 'evidence = ["publish-attestations"]\n'), ""),
        (SIGNED.replace("https://example.invalid/tiny-project", NO_REPOSITORY), "put the project's own address there"),
    ],
)
def test_what_is_told(policy: str, told: str) -> None:
    found = find_unfit(parse_draft(policy.encode()))
    assert any(told in each for each in found) if told else found == ()


def test_seal_verify_and_init_tell_it(world: World, tmp_path: Path) -> None:
    assert "places.evidence is an index" in world.run("sealwright", "verify").stdout
    assert "places.evidence" not in world.verify().stdout, "users can do nothing about it"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "pyproject.toml").write_text('[project]\nname = "tiny-project"\n')
    done = World(tmp_path / "new").run("sealwright", "init")
    assert "Fill in, in keys/policy.toml: repository is still" in done.stdout
    assert "Fill in, in keys/policy.toml: places.evidence is an index" in done.stdout
