"""in-toto layouts: the demo passes, and each thing that spoils it is a failed check of its own."""

import pytest
from support.forge import Forge
from support.in_toto import CASES, People, Scenario, demo, failed, reported

from sealwright.model.verdict import Outcome


@pytest.fixture(scope="module")
def people(keys: Forge) -> People:
    return People(keys)


@pytest.fixture
def scenario(people: People) -> Scenario:
    return demo(people)


def test_the_demo_passes(scenario: Scenario) -> None:
    checks = scenario.check()
    assert not [check for check in checks if check.outcome is not Outcome.PASS]
    assert {check.id for check in checks} == {
        "layout.format", "layout.signature", "layout.signers", "layout.expired", "layout.inspection", "layout.link",
        "layout.step", "layout.threshold", "layout.agreement", "layout.command", "layout.returned", "layout.rule",
        "layout.created", "layout.products",
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_spoilt_demo_fails(scenario: Scenario, name: str) -> None:
    CASES[name].spoil(scenario)
    checks = scenario.check()
    assert failed(checks) == CASES[name].fails, [c for c in checks if c.outcome is Outcome.FAIL]
