"""A release's in-toto layout and the links of its steps, held against the policy: who built it, how, and from what.

Enters: bytes, the artifacts with their digests, the policy with its keys, the time. Leaves: checks. Every link is read
before anything is judged, and a sublayout or an inspection is refused: in-toto would run what it says, which for a
sublayout in place of a link is the code of whoever made the link (in-toto specification 4.3.2). Of in-toto's verifylib
only what computes is called (sealwright.verify.layout_step): nothing is run, written, or read from the folder one
stands in, and the time is the one that was given.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.errors import ExitCode
from sealwright.gnupg.home import GNUPG_HINT
from sealwright.model.policy import Policy
from sealwright.model.release import LAYOUT, MAX_LAYOUT_BYTES, MAX_LINK_BYTES
from sealwright.model.verdict import Check, JudgedArtifact, Outcome
from sealwright.verify.layout_metadata import (
    BadMetadataError,
    Functionary,
    Layout,
    Link,
    SublayoutError,
    read_layout,
    read_link,
)
from sealwright.verify.layout_signature import Judge, Judgement, Statement, open_judge
from sealwright.verify.layout_step import CLAUSE, CountedLink, check_final_products, check_step

if TYPE_CHECKING:
    from packaging.version import Version

_MOST_LINKS = 500
_MOST_LINK_BYTES = 4 * 1024**2  # of all links together
_SIGNED = "a signature of the layout by an OpenPGP key of the policy"
_LINK = "a link of a step of the layout, by a key that may run it"


class _Claim(NamedTuple):
    """The signature of a link that is to be judged, and by which key of the layout it says to be."""

    key_id: str
    owner: Functionary
    signature: Mapping[str, Any]


class LayoutEvidence(NamedTuple):
    """What a release offers: the content of its root.layout, and those of its links by their names."""

    layout: bytes
    links: Mapping[str, bytes]


def check_layout(
    evidence: LayoutEvidence, artifacts: tuple[JudgedArtifact, ...], policy: Policy, keys: dict[str, bytes],
    version: "Version | None", now: datetime, gpg: str | None,
) -> tuple[Check, ...]:  # fmt: skip
    """Judge a layout and its links at the time `now` (UTC).

    `keys` are the policy's key files by fingerprint, `gpg` the program. What is wrong with the evidence is a failed
    check; raises PolicyError for a key file that is not what the policy says, and UndecidedError if gpg cannot be run.
    """
    # 1. Everything is read, in bounds, before anything is believed.
    try:
        if len(evidence.layout) > MAX_LAYOUT_BYTES:
            raise BadMetadataError(f"larger than {MAX_LAYOUT_BYTES:,} bytes")
        layout = read_layout(evidence.layout)
    except BadMetadataError as error:
        return (_check("layout.format", LAYOUT, "a signed in-toto layout", ExitCode.UNTRUSTED, wrong=str(error)),)
    links, found = _read_links(evidence.links)
    checks = [_check("layout.format", LAYOUT, "a signed in-toto layout", ExitCode.UNTRUSTED), *found]
    # 2. Who signed it. What enough signers of the policy do not vouch for is not looked at any further.
    if gpg is None:
        return (*checks, _undecided())
    with open_judge(policy, keys, version, now, gpg) as judge:
        checks += _check_signers(judge(_statements(layout)), policy)
        if checks[-1].outcome is not Outcome.PASS:
            return tuple(checks)
        counted, found = _count_links(layout, links, judge, policy, now)
    # 3. It has not ended, by the time that was given, and asks for nothing to be run here.
    checks += [_check_expiry(layout, now), _check_inspections(layout), *found]
    # 4. Each step: by whom, how many of them, what they ran and what came of it, from which files to which.
    chain = {name: of_step[0].link.parsed for name, of_step in counted.items() if of_step}
    for step in layout.steps:
        files = [file for file in evidence.links if file.removesuffix(".link").rpartition(".")[0] == step.name]
        checks += check_step(layout, step, counted[step.name], len(files), chain)
    # 5. What came out of the last step are the very artifacts of this release.
    last = layout.steps[-1].name
    if counted[last]:  # else its own checks have failed: nobody says what it made
        checks += check_final_products(counted[last][0].link.products, artifacts, last)
    return tuple(checks)


def check_layout_signatures(
    content: bytes, policy: Policy, keys: dict[str, bytes], version: "Version | None", now: datetime, gpg: str
) -> tuple[tuple[str, ...], tuple[Check, ...]]:
    """Return the primary fingerprints whose signatures of a layout count, and a check for each and for the threshold.

    Raises BadMetadataError if it is no layout, PolicyError and UndecidedError.
    """
    layout = read_layout(content)
    with open_judge(policy, keys, version, now, gpg) as judge:
        judged = judge(_statements(layout))
    return tuple(entry.fingerprint for entry in judged if entry.signer), tuple(_check_signers(judged, policy))


def _read_links(contents: Mapping[str, bytes]) -> tuple[dict[str, Link], list[Check]]:
    """Read every link, also those that no step asks for: a sublayout is refused wherever it lies."""
    total = sum(len(content) for content in contents.values() if len(content) <= MAX_LINK_BYTES)
    if len(contents) > _MOST_LINKS or total > _MOST_LINK_BYTES:
        wrong = f"{len(contents):,} links with {total:,} bytes; none was judged"
        return {}, [_check("layout.link", "links", _LINK, ExitCode.DONE, wrong=wrong)]
    links, checks = {}, []
    for name, content in sorted(contents.items()):
        try:
            if len(content) > MAX_LINK_BYTES:
                raise BadMetadataError(f"larger than {MAX_LINK_BYTES:,} bytes")
            links[name] = read_link(content)
        except SublayoutError as error:
            hint = "A sublayout is not followed, because verifying it could run what it says: list its steps here."
            expected = "a link, and no sublayout"
            checks.append(_check("layout.sublayout", name, expected, ExitCode.UNTRUSTED, wrong=str(error), hint=hint))
        except BadMetadataError as error:
            checks.append(_check("layout.link", name, _LINK, ExitCode.DONE, wrong=str(error)))
    return links, checks


def _statements(layout: Layout) -> list[Statement]:
    return [Statement(signature, layout.signed) for signature in layout.signatures]


def _check_signers(judged: list[Judgement], policy: Policy) -> list[Check]:
    """Each signature of the layout, and last the threshold: as many signers as the policy asks for by OpenPGP."""
    checks = []
    for number, entry in enumerate(judged, 1):
        subject = LAYOUT if len(judged) == 1 else f"{LAYOUT} #{number}"
        got = f"{entry.signer} ({entry.fingerprint})"
        checks.append(_check("layout.signature", subject, _SIGNED, ExitCode.DONE, got, entry.problem))
    names = sorted({entry.signer for entry in judged if entry.signer})
    required = layout_signers(policy)
    got = f"{len(names)} of {required} OpenPGP signers" + (f": {', '.join(names)}" if names else "")
    expected = f"{required} or more different OpenPGP signers of the policy, who signed the layout"
    hint = "sealwright layout sign adds a maintainer's signature."
    wrong = "" if len(names) >= required else got
    checks.append(_check("layout.signers", LAYOUT, expected, ExitCode.UNTRUSTED, got, wrong, hint))
    return checks


def layout_signers(policy: Policy) -> int:
    """Return how many signers must sign a layout: as many as the policy asks for by OpenPGP, but at least one."""
    return max(1, policy.require.openpgp)


def _check_expiry(layout: Layout, now: datetime) -> Check:
    expected, ends = "a layout that has not expired", f"{layout.expires:%Y-%m-%d %H:%M} UTC"
    wrong = "" if now < layout.expires else f"it expired on {ends}"
    hint = "Its maintainers sign one with a later date: sealwright layout new, then layout sign."
    return _check("layout.expired", LAYOUT, expected, ExitCode.STALE, f"good until {ends}", wrong, hint)


def _check_inspections(layout: Layout) -> Check:
    expected = "a layout that asks for nothing to be run where it is verified"
    wrong = f"inspections: {', '.join(layout.inspections)[:300]}" if layout.inspections else ""
    hint = "Make it a step. What an inspection compares with the last step's products, Sealwright compares itself."
    return _check("layout.inspection", LAYOUT, expected, ExitCode.UNTRUSTED, "no inspection", wrong, hint)


def _count_links(
    layout: Layout, links: Mapping[str, Link], judge: Judge, policy: Policy, now: datetime
) -> tuple[dict[str, list[CountedLink]], list[Check]]:
    """Sort the links by step, and leave out, by name, those that do not count."""
    wrong: dict[str, str] = {}
    claims: dict[str, _Claim] = {}
    for file, link in links.items():
        try:
            claims[file] = _read_claim(file, link, layout)
        except BadMetadataError as error:
            wrong[file] = str(error)
    asked = {file: claim for file, claim in claims.items() if _signer(claim.owner, policy)}
    found = judge([Statement(claim.signature, links[file].signed()) for file, claim in asked.items()])
    judged = dict(zip(asked, found, strict=True))
    counted: dict[str, list[CountedLink]] = {step.name: [] for step in layout.steps}
    for file, claim in claims.items():
        link, person = links[file], _signer(claim.owner, policy) or claim.owner.key_id
        wrong[file] = _objection(link, claim, judged.get(file), policy, now)
        if not wrong[file]:
            counted[link.step].append(CountedLink(link, claim.key_id, person))
    return counted, [
        _check("layout.link", file, _LINK, ExitCode.DONE, f"of the step {links[file].step}", text)
        for file, text in sorted(wrong.items())
    ]


def _read_claim(file: str, link: Link, layout: Layout) -> _Claim:
    """Return by whom a link says it is, if they may run its step. Raises BadMetadataError."""
    step = next((step for step in layout.steps if step.name == link.step), None)
    if step is None:
        raise BadMetadataError(f"of the step {link.step[:100]!r}, which the layout does not have")
    wrong = "signed by nobody"
    for key_id, signature in _signatures_of(link):
        owner = layout.owners.get(key_id)
        if owner is None or not {owner.key_id, key_id} & set(step.pubkeys):
            wrong = f"signed by {key_id[:64]}, who may not run the step {step.name}"
        elif file != f"{step.name}.{key_id:.8}.link":
            wrong = "its name is not that of its step and its key"
        else:
            return _Claim(key_id, owner, signature)
    raise BadMetadataError(wrong)


def _signatures_of(link: Link) -> list[tuple[str, Mapping[str, Any]]]:
    """The key ids under which a link is signed, with the signatures of those that in-toto keeps as they are."""
    if link.signatures:
        return [(str(signature.get("keyid")), signature) for signature in link.signatures]
    return [(str(key_id), {}) for key_id in link.metadata.signatures]


def _objection(link: Link, claim: _Claim, judged: Judgement | None, policy: Policy, now: datetime) -> str:
    """What speaks against a link's signature by a key that may run the step; empty if nothing."""
    if _signer(claim.owner, policy):  # the policy knows better than the layout whether a key of its was revoked
        if judged is None or judged.problem or judged.fingerprint.lower() != claim.owner.key_id:
            return (judged.problem if judged else "") or "signed with another key than it says"
    elif claim.key_id in claim.owner.expires and claim.owner.expires[claim.key_id] <= now:
        return f"the key {claim.key_id} has expired"
    try:
        link.metadata.verify_signature(claim.owner.key)
    except Exception as error:  # noqa: BLE001  damaged signatures make the library throw more than it says
        return f"not a signature of it by {claim.key_id} ({type(error).__name__})"
    return ""


def _signer(owner: Functionary, policy: Policy) -> str:
    """The name under which the policy lists a key of the layout; empty if it does not."""
    signer = policy.signer_of_key(owner.key_id.upper())
    return signer.name if signer else ""


def _undecided() -> Check:
    expected, got = "GnuPG to check the layout's signatures with", "not found"
    code = ExitCode.UNDECIDED
    return Check("layout.signers", LAYOUT, Outcome.UNDECIDED, expected, got, CLAUSE, code, GNUPG_HINT)


def _check(
    check_id: str, subject: str, expected: str, costs: ExitCode, got: str = "that it is", wrong: str = "",
    hint: str = "",
) -> Check:  # fmt: skip
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Check(check_id, subject, outcome, expected, wrong or got, CLAUSE, costs, hint if wrong else "")
