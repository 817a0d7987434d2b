"""Calling a release back: the statement in words, an OSV advisory, an announcement, and the plan for everything else.

Enters: a policy, a withdrawal, which steps are done. Leaves: text. The advisory follows the OSV schema
(https://ossf.github.io/osv-schema/); its own `withdrawn` field would call the advisory back, not the release.
"""

import json
import shlex
from typing import NamedTuple

from sealwright.model.osv_record import is_advisory_id
from sealwright.model.policy import Policy
from sealwright.model.withdrawal import WITHDRAWN, Withdrawal
from sealwright.render.text import PLAIN, Style, entry, plain

ADVISORY_FILE, ANNOUNCEMENT_FILE = "advisory.osv.json", "announcement.txt"
_GITHUB = "github:"
_NO_ID = "PYSEC-0000-0"  # no year has it


class Step(NamedTuple):
    """One thing to do: a short name to mark it as done by, what it is, and how."""

    id: str
    title: str
    how: tuple[str, ...]


def build_steps(policy: Policy, withdrawal: Withdrawal, drafts: str, keys: str) -> tuple[Step, ...]:
    """Return what is left to do after the signing, in the order in which it helps users most.

    `drafts` is the folder of the advisory and the announcement, `keys` the trust folder.
    """
    version, project = withdrawal.version, policy.project
    statement, tag = f"{keys}/{WITHDRAWN}", policy.tag.expand(version)
    places = (policy.places.evidence, policy.places.artifacts)
    forge = next((place.removeprefix(_GITHUB) for place in places if place.startswith(_GITHUB)), "")
    upload = ["gh", "release", "upload", tag, statement, "--clobber", "--repo", forge]
    page = ["gh", "release", "edit", tag, "--repo", forge, "--prerelease", "--title", f"{version} (withdrawn)"]
    page += ["--notes-file", f"{drafts}/{ANNOUNCEMENT_FILE}"]
    where = policy.places.evidence
    beside = f"put {statement} beside the evidence of {version} at {where}"
    if where == "index":  # which takes no such file
        beside = f"put {statement} wherever you offer the evidence of {version}; an index takes no such file"
    evidence = shlex.join(upload) if forge else beside
    notes = shlex.join(page) if forge else f"say it where {version} is offered, in the words of {ANNOUNCEMENT_FILE}"
    return (
        Step("evidence", "Publish the statement with the evidence: from now on verify-release refuses it", (evidence,)),
        Step("keys", "Publish the trust folder with it", _commit(keys, f"Withdraw {version}")),
        Step("yank", "Yank it on the index, so that nobody gets it without asking for it", _yank(policy, withdrawal)),
        Step("page", "Mark the release page", (notes,)),
        Step("advisory", "Submit the advisory", (
            _identify(withdrawal, f"{drafts}/{ADVISORY_FILE}"),
            f"or a security advisory of the repository, {policy.repository}",
        )),
        Step("announce", "Tell the users", (f"send {drafts}/{ANNOUNCEMENT_FILE} where {project} makes announcements",)),
    )  # fmt: skip


def _identify(withdrawal: Withdrawal, draft: str) -> str:
    todo = "" if is_advisory_id(withdrawal.advisory) else f"replace its id, {_NO_ID}, by one that you were given, then "
    return f"{draft}: {todo}a pull request to https://github.com/pypa/advisory-database"


def _commit(keys: str, message: str) -> tuple[str, ...]:
    return (shlex.join(["git", "add", keys]), shlex.join(["git", "commit", "-m", message]), "git push")


def _yank(policy: Policy, withdrawal: Withdrawal) -> tuple[str, ...]:
    if policy.places.artifacts != "index":
        return (f"take {withdrawal.version} away from {policy.places.artifacts}, or mark it there",)
    return (
        f"on https://pypi.org/manage/project/{policy.project}/release/{withdrawal.version}/ : Options, Yank",
        f"as the reason: {withdrawal.reason}",
    )


def render_plan(steps: tuple[Step, ...], done: dict[str, str], style: Style = PLAIN) -> str:
    """List the steps in order; `done` says of some by whom and when they were done."""
    lines = []
    for number, step in enumerate(steps, 1):
        mark = "done" if step.id in done else f"{number}."
        lines += entry(mark, [f"{step.title} [{step.id}]"], style, bold=step.id not in done)
        lines += [f"      {plain(how)}" for how in ((done[step.id],) if step.id in done else step.how)]
    return "\n".join(lines) + "\n"


def render_advisory(policy: Policy, withdrawal: Withdrawal) -> str:
    """Write an advisory in OSV's format, with the id of the one that was named, else one to be replaced.

    What was named and is no id, such as an address, is kept in the details.
    """
    named = is_advisory_id(withdrawal.advisory)
    more = f"\n\nAdvisory: {withdrawal.advisory}" if withdrawal.advisory and not named else ""
    purl = f"pkg:pypi/{policy.project}"
    fixed = f"\n\nUse version {withdrawal.replacement} instead." if withdrawal.replacement else ""
    document = {
        "schema_version": "1.6.0",
        "id": withdrawal.advisory if named else _NO_ID,
        "modified": withdrawal.time,
        "published": withdrawal.time,
        "summary": f"{policy.project} {withdrawal.version} was withdrawn by its project",
        "details": f"{withdrawal.reason}{fixed}{more}",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": policy.project, "purl": purl},
                "versions": [withdrawal.version],
            }
        ],
        "references": [{"type": "PACKAGE", "url": policy.repository}],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def render_announcement(policy: Policy, withdrawal: Withdrawal) -> str:
    """Write a text for people who use the project."""
    instead = f"Use {withdrawal.replacement} instead:\n\n    pip install {policy.project}=={withdrawal.replacement}\n"
    lines = [
        f"{policy.project} {withdrawal.version} is withdrawn",
        "",
        f"Do not use {policy.project} {withdrawal.version} any more. The reason: {withdrawal.reason}",
        "",
        instead if withdrawal.replacement else "There is no version to replace it yet.\n",
        *([f"Advisory: {withdrawal.advisory}", ""] if withdrawal.advisory else []),
        f"verify-release refuses this version from now on (exit code 13), once it has seen {WITHDRAWN}.",
    ]
    return "\n".join(lines) + "\n"
