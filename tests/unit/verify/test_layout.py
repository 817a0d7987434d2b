"""in-toto layouts: the demo passes, and each thing that spoils it is a failed check of its own."""

import base64
import copy
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forge
from support.in_toto import (
    CASES,
    CHANGED,
    People,
    Scenario,
    Written,
    demo,
    failed,
    reported,
    sha256,
    sublayout_that_runs,
)

from sealwright.model.verdict import Outcome
from sealwright.verify.layout import LayoutEvidence


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


@pytest.mark.parametrize("command", [["touch", "was-here"], ["sh", "-c", "touch was-here"]])
def test_neither_a_sublayout_nor_an_inspection_is_run(
    scenario: Scenario, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    attack = {
        "_type": "inspection",
        "name": "attack",
        "run": command,
        "expected_materials": [],
        "expected_products": [],
    }
    scenario.layout["inspect"] = [attack]
    assert failed(scenario.check()) == {"layout.inspection"}
    scenario.layout["inspect"] = []
    sublayout_that_runs(scenario, command)
    assert failed(scenario.check()) == {"layout.sublayout", "layout.threshold"}
    assert not list(tmp_path.iterdir())


def test_a_sublayout_is_refused_wherever_it_lies(scenario: Scenario) -> None:
    package = scenario.links[-1]
    sublayout_that_runs(scenario, ["touch", "was-here"])
    scenario.links.append(package)
    scenario.files = {"nothing.link": next(iter(scenario.files.values()))}
    assert failed(scenario.check()) == {"layout.sublayout"}


def test_a_verification_opens_no_socket_and_reads_no_folder(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = scenario.render()

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0)
    try:
        assert not failed(scenario.check(evidence=evidence))
    finally:
        tmp_path.chmod(0o700)
    assert not list(tmp_path.iterdir())


def test_the_time_is_the_one_that_is_given(scenario: Scenario) -> None:
    soon = datetime.now(UTC) + timedelta(days=2)
    scenario.layout["expires"] = f"{soon:%Y-%m-%dT%H:%M:%SZ}"
    assert not failed(scenario.check())
    assert failed(scenario.check(soon - timedelta(seconds=2))) == set()
    assert failed(scenario.check(soon)) == {"layout.expired"}


def test_a_key_of_the_layout_alone_ends_when_it_says(scenario: Scenario) -> None:
    # RSA, because securesystemslib 1.6.0 finds no end in the public key of any Ed25519 key.
    erin = scenario.people.add("erin", expires="1d", algorithm="rsa3072")
    scenario.layout["keys"][erin] = scenario.people.key("erin")
    scenario.step("test")["pubkeys"] = [erin]
    scenario.written("test").by = "erin"
    assert not failed(scenario.check())
    checks = scenario.check(datetime.now(UTC) + timedelta(days=2))
    assert failed(checks) == {"layout.threshold"}
    assert any("has expired" in text for text in reported(checks).values())


def test_a_revoked_key_counts_neither_for_a_link_nor_for_the_layout(scenario: Scenario) -> None:
    """The layout holds Bob's key as it was; the trust folder knows that it was revoked since."""
    forge = scenario.people.forge
    checks = scenario.check(bob=forge.revoke(forge.bob, 2))
    assert "layout.threshold" in failed(checks)
    assert any("revoked" in text for text in reported(checks).values())
    assert failed(scenario.check(alice=forge.revoke(forge.alice, 1))) == {"layout.signers"}


def test_as_many_maintainers_sign_as_the_policy_asks_for(scenario: Scenario) -> None:
    scenario.openpgp = 2
    assert failed(scenario.check()) == {"layout.signers"}
    scenario.signed_by = ["alice", "alice"]
    assert failed(scenario.check()) == {"layout.signers"}
    scenario.signed_by = ["mallory-gpg", "alice", "bob"]
    checks = scenario.check()
    assert not failed(checks)
    assert "does not list" in reported(checks)["root.layout #1"]


def test_two_keys_of_one_person_are_one(scenario: Scenario) -> None:
    """in-toto counts keys; the policy knows whose they are."""
    people = scenario.people
    erin = people.add("erin")
    scenario.layout["keys"][erin] = people.key("erin")
    scenario.step("clone").update(threshold=2, pubkeys=[people.key_id("bob"), erin])
    scenario.links.append(Written("erin", copy.deepcopy(scenario.written("clone").link)))
    assert not failed(scenario.check())
    scenario.bobs_other_key = "erin"
    assert failed(scenario.check()) == {"layout.threshold"}


def test_links_in_envelopes_count_and_layouts_in_envelopes_do_not(scenario: Scenario) -> None:
    package = scenario.written("package")
    package.envelope = True
    assert not failed(scenario.check())
    evidence = scenario.render()
    name = next(name for name in evidence.links if name.startswith("package"))
    document = json.loads(evidence.links[name])
    document["payload"] = base64.b64encode(base64.b64decode(document["payload"]).replace(b"wheel", b"whole")).decode()
    document["payload"] = base64.b64encode(b" " + base64.b64decode(document["payload"])).decode()
    edited = LayoutEvidence(evidence.layout, {**evidence.links, name: json.dumps(document).encode()})
    assert failed(scenario.check(evidence=edited)) == {"layout.threshold"}
    wrapped = LayoutEvidence(evidence.links[name], evidence.links)
    assert failed(scenario.check(evidence=wrapped)) == {"layout.format"}


def test_without_gpg_nothing_is_decided(scenario: Scenario) -> None:
    checks = scenario.check(gpg=None)
    assert [check.id for check in checks if check.outcome is Outcome.UNDECIDED] == ["layout.signers"]
    assert not failed(checks)


@pytest.mark.parametrize(
    "digests", [{}, {"md5": "0" * 32}, {"sha256": "00"}, {"sha256": "A" * 64}], ids=["none", "md5", "short", "capitals"]
)
def test_an_artifact_without_a_sha256_makes_a_link_worthless(scenario: Scenario, digests: dict[str, str]) -> None:
    """To in-toto, two artifacts without a digest are the same."""
    scenario.written("package").link["materials"]["demo/foo.py"] = digests
    checks = scenario.check()
    assert failed(checks) == {"layout.threshold"}
    assert any("SHA-256" in text for text in reported(checks).values())


def test_an_sbom_may_be_made_later_but_not_contradict(scenario: Scenario) -> None:
    name = "tiny_project-1.2.3.cdx.json"
    scenario.artifacts[name] = b"{}"
    assert not failed(scenario.check())
    scenario.written("package").link["products"][f"dist/{name}"] = sha256(b"{ }")
    assert failed(scenario.check()) == {"layout.products"}


LATE = {
    "no steps": lambda d: d["signed"].update(steps=[]),
    "a threshold of nobody": lambda d: d["signed"]["steps"][0].update(threshold=0),
    "a threshold of less": lambda d: d["signed"]["steps"][0].update(threshold=-1),
    "a threshold that is true": lambda d: d["signed"]["steps"][0].update(threshold=True),
    "a step that is a path": lambda d: d["signed"]["steps"][0].update(name="../clone"),
    "a step without a name": lambda d: d["signed"]["steps"][0].update(name=None),
    "a name that is a list": lambda d: d["signed"]["steps"][0].update(name=["clone"]),
    "a command of numbers": lambda d: d["signed"]["steps"][0].update(expected_command=[1]),
    "a command that is a text": lambda d: d["signed"]["steps"][0].update(expected_command="git"),
    "a key id that is none": lambda d: d["signed"]["steps"][0].update(pubkeys=["xyz"]),
    "key ids that are a text": lambda d: d["signed"]["steps"][0].update(pubkeys="abcdef"),
    "a rule that is none": lambda d: d["signed"]["steps"][0].update(expected_products=[["TRUST", "*"]]),
    "rules that are a text": lambda d: d["signed"]["steps"][0].update(expected_products="ALLOW *"),
    "two steps of one name": lambda d: d["signed"]["steps"].append(d["signed"]["steps"][0]),
    "a day that is none": lambda d: d["signed"].update(expires="2027-02-30T00:00:00Z"),
    "a date without its zone": lambda d: d["signed"].update(expires="2027-02-03"),
    "a date that is a number": lambda d: d["signed"].update(expires=5),
    "keys that are a list": lambda d: d["signed"].update(keys=[]),
    "a key under another id": lambda d: d["signed"]["keys"].update(
        {"ab" * 20: next(iter(d["signed"]["keys"].values()))}
    ),
    "a key that is a text": lambda d: d["signed"]["keys"].update({"ab" * 20: "key"}),
    "an inspection that is a text": lambda d: d["signed"].update(inspect=["touch"]),
    "signatures that are a text": lambda d: d.update(signatures="none"),
    "signatures of null": lambda d: d.update(signatures=[None]),
    "a thousand signatures": lambda d: d.update(signatures=d["signatures"] * 1000),
    "another type": lambda d: d["signed"].update(_type="link"),
    "no type": lambda d: d["signed"].pop("_type"),
    "nothing signed": lambda d: d.pop("signed"),
}


@pytest.mark.parametrize("name", LATE)
def test_a_layout_that_is_none(scenario: Scenario, name: str) -> None:
    scenario.late = LATE[name]
    assert failed(scenario.check()) == {"layout.format"}


def test_a_key_twice_under_two_ids(scenario: Scenario) -> None:
    carl = scenario.people.key("carl") | {"keyid": "ab" * 32}
    scenario.late = lambda document: document["signed"]["keys"].update({carl["keyid"]: carl})
    assert failed(scenario.check()) == {"layout.format"}


HOSTILE = {
    "nothing": b"",
    "no JSON": b"-----BEGIN",
    "not UTF-8": b'{"signed": "\xff"}',
    "null": b"null",
    "a list": b"[]",
    "a number": b"1" * 5000,
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep inside": b'{"signed": {"_type": "link", "environment": ' + b'{"a":' * 900 + b"1" + b"}" * 902,
    "huge": b'{"signed": "' + b"x" * 3_000_000 + b'"}',
    "many values": b'{"signed": [' + b"1," * 500_000 + b"1]}",
    "a name twice": b'{"signed": {"_type": "link"}, "signed": {"_type": "layout"}, "signatures": []}',
    "NaN": b'{"signed": NaN}',
    "an envelope of nothing": b'{"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": []}',
    "an envelope of null": b'{"payload": null, "payloadType": "application/vnd.in-toto+json", "signatures": null}',
    "an envelope in an envelope": b'{"payload": "e30=", "payloadType": "application/vnd.in-toto+json"}',
    "a name twice in an envelope": b'{"payload": "eyJhIjoxLCJhIjoyfQ==", "payloadType": "application/vnd.in-toto+json", "signatures": []}',
    "a link of wrong types": b'{"signed": {"_type": "link", "name": 5, "materials": [], "command": {}}, "signatures": [{}]}',
    "a link of null": b'{"signed": {"_type": "link", "name": null, "command": null, "byproducts": null}, "signatures": []}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_a_failed_check_and_soon(scenario: Scenario, name: str) -> None:
    evidence = scenario.render()
    package = next(name for name in evidence.links if name.startswith("package"))
    start = time.monotonic()
    assert failed(scenario.check(evidence=LayoutEvidence(HOSTILE[name], evidence.links))) == {"layout.format"}
    spoilt = {**evidence.links, package: HOSTILE[name]}
    assert "layout.threshold" in failed(scenario.check(evidence=LayoutEvidence(evidence.layout, spoilt)))
    beside = {**evidence.links, "../../package.00000000.link": HOSTILE[name], "\x1b[2J.link": HOSTILE[name]}
    checks = scenario.check(evidence=LayoutEvidence(evidence.layout, beside))
    assert not failed(checks)
    assert len(reported(checks)) == 2
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "field", [{"keyid": 5}, {"keyid": ["a"]}, {"signature": "zz"}, {"signature": ""}, {"signature": None},
              {"other_headers": ""}, {"other_headers": "04"}, {"other_headers": "0400010a0000"}, {"other_headers": 4},
              {"other_headers": "04000108ffff"}, {"signature": "ff" * 100_000}, {"keyid": "ab"}],
    ids=lambda field: str(field)[:30],
)  # fmt: skip
def test_damaged_signatures_count_for_nobody(scenario: Scenario, field: dict[str, Any]) -> None:
    scenario.late = lambda document: document["signatures"][0].update(field)
    assert failed(scenario.check()) == {"layout.signers"}
    scenario.late = lambda document: None
    for name in ("clone", "package"):
        scenario.written(name).late = lambda document: document["signatures"][0].update(field)
    assert "layout.threshold" in failed(scenario.check())


def test_thousands_of_links_cost_little(scenario: Scenario) -> None:
    evidence = scenario.render()
    content = next(iter(evidence.links.values()))
    many = {f"clone.{number:08x}.link": content for number in range(5000)}
    start = time.monotonic()
    assert failed(scenario.check(evidence=LayoutEvidence(evidence.layout, many))) == {"layout.threshold"} | {
        "layout.step"
    }
    few = dict(list(many.items())[:490])
    assert not failed(scenario.check(evidence=LayoutEvidence(evidence.layout, {**few, **evidence.links})))
    assert time.monotonic() - start < 10


def test_large_links_cost_little(scenario: Scenario) -> None:
    """Twenty thousand files in, the same out: more than any project's build has."""
    for written in scenario.links[-2:]:
        for number in range(20_000):
            written.link["materials"][f"demo/{number}"] = CHANGED
    start = time.monotonic()
    evidence = scenario.render()
    made = time.monotonic()
    assert failed(scenario.check(evidence=evidence)) == {"layout.rule"}
    assert time.monotonic() - made < 10 + made - start


def test_a_release_of_nothing_that_is_built_is_no_product(scenario: Scenario) -> None:
    scenario.artifacts.clear()
    assert failed(scenario.check()) == {"layout.products"}
