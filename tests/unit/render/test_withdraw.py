"""What follows a withdrawal: the steps in the order that helps most, and an advisory that any OSV reader takes."""

import json

import pytest
from support.policies import policy_text

from sealwright.model.advisory import concerns
from sealwright.model.osv_record import parse_advisory
from sealwright.model.policy import Policy
from sealwright.model.policy_toml import parse_policy
from sealwright.model.withdrawal import Withdrawal
from sealwright.render.withdraw import build_steps, render_advisory, render_plan

SIGNERS = '[[signer]]\nname = "alice"\n[[signer.openpgp]]\nfingerprint = "' + "A" * 40 + '"\n'


@pytest.fixture
def policy() -> Policy:
    return parse_policy(policy_text(SIGNERS, openpgp=1).encode())


def withdrawal(version: str = "1.2.3", advisory: str = "") -> Withdrawal:
    return Withdrawal("tiny-project", version, "it deletes files", "1.2.4", advisory, "2026-01-02T03:04:05Z")


def test_the_steps_stand_in_the_order_that_helps_users_most(policy: Policy) -> None:
    steps = build_steps(policy, withdrawal(), "drafts", "keys")
    order = ["evidence", "keys", "yank", "page", "advisory", "announce"]
    assert [step.id for step in steps] == order
    plan = render_plan(steps, {"yank": "by me, 2026-01-02"})
    assert [plan.index(f"[{name}]") for name in order] == sorted(plan.index(f"[{name}]") for name in order)
    assert [line.split()[0] for line in plan.splitlines() if line.endswith("]")] == [
        "1.",
        "2.",
        "done",
        "4.",
        "5.",
        "6.",
    ]


@pytest.mark.parametrize("version", ["1.2.3", "1.2.3rc1", "1!2.0", "1.2.3+local.1"])
@pytest.mark.parametrize("advisory", ["", "CVE-2026-1", "https://example.org/a b", "x" * 300])
def test_the_advisory_is_one(policy: Policy, version: str, advisory: str) -> None:
    found = parse_advisory(json.loads(render_advisory(policy, withdrawal(version, advisory))))
    assert found.id == (advisory if advisory == "CVE-2026-1" else "PYSEC-0000-0")
    assert (found.withdrawn, found.modified) == ("", "2026-01-02T03:04:05Z")
    (affected,) = found.affected
    assert affected.package == "tiny-project"
    assert not affected.unclear
    assert concerns(affected, version) is True
    assert concerns(affected, "1.2.4") is False


@pytest.mark.parametrize(("advisory", "said"), [("", True), ("CVE-2026-1", False), ("see the web page", True)])
def test_the_plan_says_that_an_invented_id_is_to_be_replaced(policy: Policy, advisory: str, said: bool) -> None:
    plan = render_plan(build_steps(policy, withdrawal(advisory=advisory), "drafts", "keys"), {})
    assert ("replace its id, PYSEC-0000-0," in plan) == said
