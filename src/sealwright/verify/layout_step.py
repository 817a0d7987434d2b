"""One step of a layout, held against the links that count for it; and the last one's products, against the release.

Enters: what sealwright.verify.layout has read and whose signatures it has judged. Leaves: checks. Thresholds and
artifact rules are in-toto's own (verifylib); three things that its verification lets pass are failed checks here: a
command that returned something else than 0, another command than the layout's, and a CREATE that created nothing.
"""

import copy
import fnmatch
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.model.verdict import Check, JudgedArtifact, Outcome
from sealwright.verify.layout_metadata import Artifacts, Layout, Link

CLAUSE = "docs/layout.md"
_BUILT = ("wheel", "sdist")


class CountedLink(NamedTuple):
    """A link whose signature is good: the key that signed it, and whose that is."""

    link: Link
    key_id: str
    person: str


def check_step(
    layout: Layout, step: Any, counted: list[CountedLink], files: int, chain: Mapping[str, Any]
) -> list[Check]:
    """Judge one step (in-toto specification 4.3.1).

    `files` is the number of links that are called after it, `chain` has one link of each step, for in-toto's rules.
    """
    there = _check("layout.step", step, ExitCode.MISSING, "a link of the step", f"{files} of them")
    if not files:
        hint = "sealwright step writes it where the step is run; a release without it shows nothing of that step."
        return [there._replace(outcome=Outcome.FAIL, got="there is none", hint=hint)]
    checks = [there, _check_threshold(layout, step, counted)]
    if not counted:
        return checks
    expected = "links of one step that tell of the same files"
    same = all((c.link.materials, c.link.products) == counted[0].link[3:5] for c in counted)
    checks.append(
        _check("layout.agreement", step, ExitCode.TAMPERED, expected, "one story", "" if same else "they differ")
    )
    for entry in counted:
        checks += [_check_command(step, entry), _check_returned(step, entry)]
    return checks + _check_rules(layout, step, chain) + _check_created(step, counted[0].link)


def check_final_products(products: Artifacts, artifacts: tuple[JudgedArtifact, ...], last_step: str) -> list[Check]:
    """Every wheel and sdist of the release is what the last step made, by name and SHA-256.

    An SBOM, which may be made after the build, must only not contradict it.
    """
    checks = []
    if not any(artifact.kind in _BUILT for artifact in artifacts):  # then there is nothing that the build has made
        expected, fail = f"a wheel or sdist that the last step ({last_step}) made", Outcome.FAIL
        checks.append(Check("layout.products", "artifacts", fail, expected, "there is none", CLAUSE, ExitCode.TAMPERED))
    for artifact in artifacts:
        made = {d["sha256"] for path, d in products.items() if PurePosixPath(path).name == artifact.name}
        if not made and artifact.kind not in _BUILT:
            continue
        wrong = (
            ""
            if made == {artifact.sha256}
            else f"it made {', '.join(sorted(made))[:300]}"
            if made
            else "it made no such file"
        )
        expected = f"the {artifact.kind} that the last step ({last_step}) made"
        outcome = Outcome.FAIL if wrong else Outcome.PASS
        got = wrong or f"sha256 {artifact.sha256}"
        checks.append(Check("layout.products", artifact.name, outcome, expected, got, CLAUSE, ExitCode.TAMPERED))
    return checks


def _check_threshold(layout: Layout, step: Any, counted: list[CountedLink]) -> Check:
    """Count the people; in-toto counts keys, so that one with two keys would be two. Then let in-toto count, too."""
    people = sorted({entry.person for entry in counted})
    got = f"{len(people)} of {step.threshold}" + (f": {', '.join(people)[:300]}" if people else "")
    wrong = got if len(people) < step.threshold else _in_toto_threshold(layout, step, counted)
    expected = f"links of {step.threshold} or more who may run it, validly signed"
    return _check("layout.threshold", step, ExitCode.UNTRUSTED, expected, got, wrong)


def _in_toto_threshold(layout: Layout, step: Any, counted: list[CountedLink]) -> str:
    from in_toto import verifylib

    single = copy.copy(layout.parsed)
    single.steps = [step]
    single.keys = {owner.key_id: owner.key for owner in layout.owners.values()}
    try:
        verifylib.verify_link_signature_thresholds(
            single, {step.name: {entry.key_id: entry.link.metadata for entry in counted}}
        )
    except Exception as error:  # noqa: BLE001  whatever in-toto does not accept is not accepted
        return _first_line(error)
    return ""


def _check_command(step: Any, entry: CountedLink) -> Check:
    ran, wanted = list(entry.link.command), list(step.expected_command)
    expected = f"the command of the layout: {_shown(wanted)}"
    wrong = "" if ran == wanted else f"{entry.person} ran {_shown(ran)}"
    return _check("layout.command", step, ExitCode.TAMPERED, expected, _shown(ran), wrong)


def _check_returned(step: Any, entry: CountedLink) -> Check:
    """A command must have returned 0; a step that is done by hand (in-toto-record) has neither command nor code."""
    returned = entry.link.returned
    by_hand = returned is None and not entry.link.command
    good = by_hand or (isinstance(returned, int) and not isinstance(returned, bool) and returned == 0)
    wrong = "" if good else f"{entry.person}'s returned {str(returned)[:80]}"
    got = "done by hand, without a command" if by_hand else "0"
    return _check("layout.returned", step, ExitCode.TAMPERED, "a command that returned 0", got, wrong)


def _check_rules(layout: Layout, step: Any, chain: Mapping[str, Any]) -> list[Check]:
    """The artifact rules (in-toto specification 4.3.3), which in-toto applies without a look at any file.

    Where they ask what another step did, and nobody says so, that step's own checks have failed.
    """
    from in_toto import verifylib

    checks = []
    for kind, rules in (("materials", step.expected_materials), ("products", step.expected_products)):
        wrong, expected = "", f"{kind} that keep the layout's rules"
        if unknown := _unknown_steps(layout, rules, chain):
            got = f"no link of the step {unknown[0]} counts, which they ask for"
            check = _check("layout.rule", step, ExitCode.TAMPERED, expected, got)
            checks.append(check._replace(outcome=Outcome.NOT_CHECKED))
            continue
        try:
            verifylib.verify_item_rules(step.name, kind, rules, chain)
        except Exception as error:  # noqa: BLE001  as above
            wrong = _first_line(error)
        checks.append(_check("layout.rule", step, ExitCode.TAMPERED, expected, f"{len(rules)} rules kept", wrong))
    return checks


def _unknown_steps(layout: Layout, rules: list[list[str]], chain: Mapping[str, Any]) -> list[str]:
    """The steps of the layout that MATCH rules name, and of which no link counts."""
    from in_toto.rulelib import unpack_rule

    named = [unpack_rule(rule).get("dest_name") for rule in rules]
    return [step.name for step in layout.steps if step.name in named and step.name not in chain]


def _check_created(step: Any, link: Link) -> list[Check]:
    """A CREATE rule only permits in in-toto; a layout that says so means that something was made."""
    new = sorted(link.products.keys() - link.materials.keys())
    checks = []
    for rule in step.expected_products:
        if rule[0].lower() == "create":
            made = fnmatch.filter(new, rule[1])
            expected, wrong = f"something new that is called {rule[1][:200]}", "" if made else "it made nothing"
            got = f"{len(made)} files"
            checks.append(_check("layout.created", step, ExitCode.TAMPERED, expected, got, wrong))
    return checks


def _check(check_id: str, step: Any, costs: ExitCode, expected: str, got: str, wrong: str = "") -> Check:
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Check(check_id, f"step {step.name}", outcome, expected, wrong or got, CLAUSE, costs)


def _shown(command: list[str]) -> str:
    import shlex

    return shlex.join(command)[:300] or "none"


def _first_line(error: Exception) -> str:
    return (str(error).split("\n")[0] or type(error).__name__)[:300]
