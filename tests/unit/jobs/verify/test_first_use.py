"""Trust on first use: each way to be accepted as a publisher that one is not, and to take the place of one who was."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st
from sigstore.errors import VerificationError
from support.fetching import PATIENT, environment
from support.fulcio import IDENTITY, ISSUER, certificate, der_text
from support.fuzz import examples
from support.keyless import WORKFLOW
from support.publishing import ARTIFACTS, Attested, attestation_by, provenance_by, publish
from support.world import GPG, PROJECT, SDIST, VERSION, WHEEL

from sealwright.cli.first_use import FirstUse, begin
from sealwright.errors import ExitCode, MissingError, UndecidedError, UsageError
from sealwright.jobs.verify.fetch import Source
from sealwright.jobs.verify.first_use import Accept, Candidate, comparing_publisher, judging_first
from sealwright.jobs.verify.release import How, parse_asked, verified_release
from sealwright.jobs.verify.remembering import verified_remembering
from sealwright.model.pin import Pin, PinKind
from sealwright.model.publisher import Publisher, split_ref
from sealwright.model.verdict import Outcome, Result, Verdict
from sealwright.sandbox.places import Places, build_provenance, publisher_of
from sealwright.sandbox.sigstore import GitHubClaims, Sigstore, running_sigstore
from sealwright.store.first_use import ROOT_FILE, pairs_of
from sealwright.store.pins import read_pin, trust_of, write_pin
from sealwright.store.places.fetching import Rules
from sealwright.store.seen import read_seen
from sealwright.verify.publisher import ThePublisher

ASKED = parse_asked(f"{PROJECT}=={VERSION}")
REPOSITORY = "https://github.com/o/r"
OURS = Publisher(
    WORKFLOW.issuer, REPOSITORY, WORKFLOW.repository_id, WORKFLOW.repository_owner_id,
    f"{REPOSITORY}/.github/workflows/release.yml", f"{REPOSITORY}/.github/workflows/release.yml",
)  # fmt: skip
OTHERS = {
    "another repository": WORKFLOW._replace(repository="o/fork"),
    "a name that was given up and taken by another": WORKFLOW._replace(repository_id="9", repository_owner_id="8"),
    "another owner of the repository": WORKFLOW._replace(repository_owner_id="8"),
    "another workflow": WORKFLOW._replace(workflow=".github/workflows/test.yml"),
    "a workflow of almost that name": WORKFLOW._replace(workflow=".github/workflows/release.yml@refs"),
    "a reusable workflow of somebody": WORKFLOW._replace(
        job_workflow_ref="evil/r/.github/workflows/release.yml@refs/tags/v1"
    ),
}


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def accepted() -> list[Candidate]:
    return []


@pytest.fixture
def served(attested: Attested, places: Places) -> Places:
    """The release as an index has it, and nothing else of it anywhere."""
    publish(places, attested)
    return places


def source_of(places: Places, folder: Path, **rules: bool) -> Source:
    return Source(rules=Rules(**rules), environ=environment(places, folder), patience=PATIENT)


def first_use(
    attested: Attested, places: Places, data: Path, accepted: list[Candidate], *, root: Path | None = None,
    accept: Accept | None = None, **rules: bool,
) -> Verdict:  # fmt: skip
    first = FirstUse(root=root or attested.world.folder / "keys" / "root.json")
    trust = begin(first, PROJECT, data).trust

    def pinned(candidate: Candidate) -> Pin:
        accepted.append(candidate)
        pairs = pairs_of(candidate.publisher, candidate.trust.policy.sigstore_root)
        pin = Pin(PROJECT, PinKind.FIRST_USE, clock(), "index", files=candidate.trust.others, publisher=pairs)
        assert write_pin(data, pin, None)
        return pin

    judge = judging_first(
        source_of(places, attested.world.folder, **rules), trust, How(ASKED, clock, GPG),
        accept or pinned,
    )  # fmt: skip
    with verified_remembering(judge, trust, data, clock=clock) as verified:
        return verified.verdict


def by_pin(attested: Attested, places: Places, data: Path) -> Verdict:
    pin = read_pin(data, PROJECT)
    assert pin
    trust = trust_of(data, pin)
    judge = comparing_publisher(
        lambda recall: verified_release(
            source_of(places, attested.world.folder), trust, How(ASKED, clock, GPG, recall=recall)
        ),
        trust, refresh=False,
    )  # fmt: skip
    with verified_remembering(judge, trust, data, clock=clock, pin=pin) as verified:
        return verified.verdict


def serve(sigstore: Sigstore, places: Places, attested: Attested, claims: GitHubClaims, *names: str) -> None:
    for name in names:
        places.index.publish_provenance(name, provenance_by(sigstore, claims, attested.world.release / name))


def refused_first(verdict: Verdict, accepted: list[Candidate], data: Path) -> str:
    assert verdict.exit_code is ExitCode.UNTRUSTED
    assert not accepted
    assert read_pin(data, PROJECT) is None
    assert read_seen(data, PROJECT).newest == ""
    return " ".join(check.got for check in verdict.failed())


def test_accepted_once_then_by_the_pin(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate]
) -> None:
    """The certificate says who it is, with every part; the ref is shown, and is another one next time."""
    verdict = first_use(attested, served, data_home, accepted)
    assert verdict.result is Result.PASSED, verdict.failed()
    assert [candidate.publisher for candidate in accepted] == [OURS]
    assert accepted[0].identity == WORKFLOW.identity
    assert verdict.policy.pin
    assert verdict.policy.pin.first_use
    again = by_pin(attested, served, data_home)
    assert again.result is Result.PASSED, again.failed()
    assert again.policy.fingerprint == verdict.policy.fingerprint
    assert again.signers[0].identities == (WORKFLOW.identity,)
    elsewhere = WORKFLOW._replace(ref="refs/heads/main")
    serve(sigstore, served, attested, elsewhere, *ARTIFACTS)
    assert by_pin(attested, served, data_home).signers[0].identities == (elsewhere.identity,)
    lacking = {check.subject for check in again.not_checked() if check.id == "evidence.lacking"}
    assert "SHA256SUMS" in lacking


def test_a_reusable_workflow_is_pinned_with_the_one_that_was_started(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate]
) -> None:
    """Its ref is another than the release's, and may change; whose it is may not, nor may it be left out."""
    shared = WORKFLOW._replace(job_workflow_ref="shared/ci/.github/workflows/publish.yml@refs/heads/v1")
    serve(sigstore, served, attested, shared, *ARTIFACTS)
    assert first_use(attested, served, data_home, accepted).result is Result.PASSED
    signing = "https://github.com/shared/ci/.github/workflows/publish.yml"
    assert accepted[0].publisher == OURS._replace(identity=signing)
    serve(sigstore, served, attested, shared._replace(job_workflow_ref=f"{signing[19:]}@{'a' * 40}"), *ARTIFACTS)
    assert by_pin(attested, served, data_home).result is Result.PASSED
    for other in (WORKFLOW, shared._replace(repository="o/fork"), shared._replace(job_workflow_ref="o/r/x.yml@refs/a")):
        serve(sigstore, served, attested, other, *ARTIFACTS)
        verdict = by_pin(attested, served, data_home)
        assert verdict.exit_code is ExitCode.UNTRUSTED
        assert "signing workflow" in verdict.failed()[0].got or other.repository != "o/r"


@pytest.mark.parametrize("what", OTHERS)
def test_a_publisher_who_changes_stops(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate], what: str
) -> None:
    assert first_use(attested, served, data_home, accepted).result is Result.PASSED
    serve(sigstore, served, attested, OTHERS[what], *ARTIFACTS)
    verdict = by_pin(attested, served, data_home)
    assert verdict.exit_code is ExitCode.UNTRUSTED, verdict.checks
    if what != "a workflow of almost that name":  # no publisher can be read off that certificate at all
        changed = verdict.failed()[0]
        assert changed.id == "publisher.changed"
        assert OURS.workflow in changed.expected
        assert OTHERS[what].workflow_ref.partition("@")[0] in changed.got
    serve(sigstore, served, attested, WORKFLOW, *ARTIFACTS)
    assert by_pin(attested, served, data_home).result is Result.PASSED  # what failed has moved nothing


def test_one_file_by_another_is_enough_to_stop(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate]
) -> None:
    assert first_use(attested, served, data_home, accepted).result is Result.PASSED
    serve(sigstore, served, attested, OTHERS["another repository"], WHEEL)
    assert by_pin(attested, served, data_home).exit_code is ExitCode.UNTRUSTED
    # One more attestation beside a good one is reported, and can not lock a user out.
    both = [attestation_by(sigstore, claims, attested.world.release / WHEEL) for claims in (WORKFLOW, OTHERS["another repository"])]  # fmt: skip
    served.index.publish_provenance(WHEEL, build_provenance((publisher_of(WORKFLOW), both)))
    verdict = by_pin(attested, served, data_home)
    assert verdict.result is Result.PASSED
    assert any("accepted on first use" in check.got for check in verdict.reported())


@pytest.mark.parametrize("what", ["another repository", "a name that was given up and taken by another"])
def test_two_publishers_are_none(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate], what: str
) -> None:
    """One for each file, or two for one file: whom to take is not ours to guess."""
    serve(sigstore, served, attested, OTHERS[what], SDIST)
    said = refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)
    assert "2 publishers" in said
    serve(sigstore, served, attested, WORKFLOW, SDIST)
    groups = [(publisher_of(c), [attestation_by(sigstore, c, attested.world.release / SDIST)]) for c in (WORKFLOW, OTHERS[what])]  # fmt: skip
    served.index.publish_provenance(SDIST, build_provenance(*groups))
    assert "2 publishers" in refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)


def test_the_index_is_not_believed(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate]
) -> None:
    """A certificate of somebody's, under the name of the project's own publisher."""
    evil = OTHERS["another repository"]
    for name in ARTIFACTS:
        made = attestation_by(sigstore, evil, attested.world.release / name)
        served.index.publish_provenance(name, build_provenance((publisher_of(WORKFLOW), [made])))
    said = refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)
    assert "the index names https://github.com/o/r, and the certificate https://github.com/o/fork" in said


def test_what_is_no_attestation_of_these_files(
    attested: Attested, served: Places, sigstore: Sigstore, data_home: Path, accepted: list[Candidate]
) -> None:
    release = attested.world.release
    for made, words in (
        (attestation_by(sigstore, WORKFLOW, release / SDIST), "a statement about"),
        (attestation_by(sigstore, WORKFLOW, release / WHEEL, predicateType="https://example.org/x"), ""),
        (attestation_by(sigstore, WORKFLOW, release / WHEEL, predicate={"more": 1}), ""),
    ):
        served.index.publish_provenance(WHEEL, build_provenance((publisher_of(WORKFLOW), [made])))
        verdict = first_use(attested, served, data_home, accepted)
        assert words in refused_first(verdict, accepted, data_home)
        assert "publish.evidence" in {check.id for check in verdict.failed()}


def test_partly_attested(attested: Attested, served: Places, data_home: Path, accepted: list[Candidate]) -> None:
    served.index.publish_provenance(SDIST, None)
    verdict = first_use(attested, served, data_home, accepted)
    refused_first(verdict, accepted, data_home)
    assert "evidence.present" in {check.id for check in verdict.failed()}


@pytest.mark.parametrize(
    "content",
    [b'{"version":1,"attestation_bundles":[]}', b'{"version":1,"attestation_bundles":[{"publisher":{"kind":"GitHub"},"attestations":[]}]}',
     b'{"version":2,"attestation_bundles":[]}', b"{}", b"[]", b"null", b"no JSON"],
)  # fmt: skip
def test_attested_by_nothing(
    attested: Attested, served: Places, data_home: Path, accepted: list[Candidate], content: bytes
) -> None:
    """An object in which nothing stands vouches for nothing, neither alone nor beside a good one of the other file."""
    served.index.publish_provenance(WHEEL, content)
    refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)
    served.index.publish_provenance(SDIST, content)
    refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)


def test_not_attested_at_all(attested: Attested, served: Places, data_home: Path, accepted: list[Candidate]) -> None:
    for name in ARTIFACTS:
        served.index.publish_provenance(name, None)
    with pytest.raises(MissingError, match="nothing says who published it"):
        first_use(attested, served, data_home, accepted)
    assert not accepted


def test_other_bytes(
    attested: Attested, served: Places, tmp_path: Path, data_home: Path, accepted: list[Candidate]
) -> None:
    """A wheel that was swapped on the index, with the provenance of the genuine one left beside it."""
    provenance = build_provenance((publisher_of(WORKFLOW), [attested.attestation(WHEEL)]))
    evil = tmp_path / WHEEL
    evil.write_bytes((attested.world.release / WHEEL).read_bytes() + b"\n")
    served.index.publish(evil, replace=True)
    served.index.publish_provenance(WHEEL, provenance)
    assert "a statement about" in refused_first(first_use(attested, served, data_home, accepted), accepted, data_home)


def test_yanked_is_never_a_first_use(
    attested: Attested, served: Places, data_home: Path, accepted: list[Candidate]
) -> None:
    served.index.yank(PROJECT, VERSION, "broken")
    assert first_use(attested, served, data_home, accepted).exit_code is ExitCode.WITHDRAWN
    assert not accepted
    assert first_use(attested, served, data_home, accepted, allow_yanked=True).result is Result.PASSED


CERTIFIED: dict[int, bytes] = {
    1: ISSUER.encode(), 8: der_text(ISSUER), 12: der_text(REPOSITORY), 14: der_text("refs/tags/v1.2.3"),
    15: der_text(OURS.repository_id), 17: der_text(OURS.owner_id), 18: der_text(IDENTITY),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), [
    ({}, ""),
    ({1: b"https://evil.example", 8: der_text("https://evil.example")}, "which is another oidc issuer than"),
    ({1: b"https://evil.example"}, "two oidc issuers"), ({8: b""}, "two oidc issuers"), ({1: b"\xff"}, "no publisher"),
    ({15: b""}, "no repository id"), ({17: b""}, "no owner id"), ({17: b"2000002"}, "no owner id"),
    ({12: b""}, "no repository that"), ({18: b""}, "no workflow at one ref"),
    ({12: der_text("https://github.com/o")}, "which is another repository than"),
    ({12: der_text("https://github.com/other/r")}, "outside of its repository"),
    ({12: der_text(REPOSITORY[:-1])}, "outside of its repository"),
    ({15: der_text("1000001\u202e")}, "no repository id"),
    ({12: der_text("https://github.com/\u043e/r"), 18: der_text(IDENTITY.replace("/o/", "/\u043e/"))}, "no repository that"),
])  # fmt: skip
def test_what_a_certificate_must_say(changes: dict[int, bytes], words: str) -> None:
    """Whoever issues certificates is not trusted to leave nothing out."""
    there = load_der_x509_certificate(certificate({k: v for k, v in (CERTIFIED | changes).items() if v}))
    for policy in (ThePublisher(OURS), ThePublisher()):
        if not words or ("another" in words and policy is not None and not policy.expected):
            policy.verify(there)
            assert policy.identity == IDENTITY
        else:
            with pytest.raises(VerificationError, match=words):
                policy.verify(there)


def test_whose_certificate_could_be_two_peoples() -> None:
    for names in (
        [x509.UniformResourceIdentifier(IDENTITY), x509.UniformResourceIdentifier(IDENTITY)],
        [x509.RFC822Name("release@example.org")],
    ):
        there = load_der_x509_certificate(certificate(CERTIFIED, names))
        with pytest.raises(VerificationError, match="no workflow"):
            ThePublisher(OURS).verify(there)


def test_another_sigstore_is_another_world(
    attested: Attested, served: Places, tmp_path: Path, data_home: Path, accepted: list[Candidate]
) -> None:
    """The public root does not believe a rehearsal's certificates, and a pin keeps the root that it began with."""
    trust = begin(FirstUse(), PROJECT, data_home).trust
    judge = judging_first(
        source_of(served, attested.world.folder), trust, How(ASKED, clock, GPG),
        lambda candidate: pytest.fail("accepted"),
    )  # fmt: skip
    with judge(()) as verified:
        assert verified.verdict.exit_code is ExitCode.UNTRUSTED
    verdict = first_use(attested, served, data_home, accepted)
    assert verdict.result is Result.PASSED
    assert verdict.sandbox
    with running_sigstore() as other:
        serve(other, served, attested, WORKFLOW, *ARTIFACTS)
        assert by_pin(attested, served, data_home).exit_code is ExitCode.UNTRUSTED
    pin = read_pin(data_home, PROJECT)
    assert pin
    assert pin.files.keys() == {ROOT_FILE}


def test_a_refusal_keeps_nothing(
    attested: Attested, served: Places, data_home: Path, accepted: list[Candidate]
) -> None:
    def refuse(candidate: Candidate) -> Pin:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_use(attested, served, data_home, accepted, accept=refuse)
    assert read_pin(data_home, PROJECT) is None
    assert read_seen(data_home, PROJECT).newest == ""


_SPOILED: dict[str, Callable[[Pin], Pin]] = {
    "a part left out": lambda pin: pin._replace(publisher=pin.publisher[1:]),
    "no root named": lambda pin: pin._replace(publisher=pin.publisher[:-1]),
    "the public root, with a file": lambda pin: pin._replace(
        publisher=(*pin.publisher[:-1], ("sigstore-root", "production"))
    ),
    "a root that is not there": lambda pin: pin._replace(files={}),
    "an id left empty": lambda pin: pin._replace(
        publisher=tuple((k, "" if k == "owner_id" else v) for k, v in pin.publisher)
    ),
}


@pytest.mark.parametrize("what", _SPOILED)
def test_a_pin_that_says_less_is_none(
    attested: Attested, served: Places, data_home: Path, accepted: list[Candidate], what: str
) -> None:
    assert first_use(attested, served, data_home, accepted).result is Result.PASSED
    pin = read_pin(data_home, PROJECT)
    assert pin
    write_pin(data_home, _SPOILED[what](pin), pin)
    with pytest.raises(UndecidedError):
        read_pin(data_home, PROJECT)


def test_a_policy_that_was_seen_is_stronger(attested: Attested, served: Places, data_home: Path) -> None:
    from sealwright.model.seen import Seen
    from sealwright.store.seen import remember

    remember(data_home, PROJECT, Seen(), lambda before: Seen(3, "00" * 32, "1.0"))
    with pytest.raises(UsageError, match="version 3 of its policy"):
        begin(FirstUse(), PROJECT, data_home)


def test_a_first_use_gives_way_to_a_policy_that_was_seen_later(
    attested: Attested, served: Places, data_home: Path, accepted: list[Candidate]
) -> None:
    from sealwright.store.seen import remember

    assert first_use(attested, served, data_home, accepted).result is Result.PASSED
    seen = read_seen(data_home, PROJECT)
    assert (seen.policy, seen.substance, seen.newest) == (0, "", VERSION)
    remember(data_home, PROJECT, seen, lambda before: before._replace(policy=1, substance="00" * 32))
    verdict = by_pin(attested, served, data_home)
    assert verdict.exit_code is ExitCode.STALE
    assert [check.got for check in verdict.failed()] == ["a first use, which is weaker than any policy"]


@pytest.mark.parametrize(("uri", "ref", "path"), [
    ("https://h/o/r/w.yml@refs/tags/v1", "", "https://h/o/r/w.yml"),
    ("https://h/o/r/w.yml@" + "a" * 40, "", "https://h/o/r/w.yml"),
    ("https://h/o/r/w.yml@refs/tags/pkg@1", "refs/tags/pkg@1", "https://h/o/r/w.yml"),
    ("https://h/o/r/w.yml@refs/tags/pkg@1", "refs/tags/1", None),
    ("https://h/o/r//w.yml@refs/x.yml@refs/heads/main", "refs/heads/main", None),
    ("https://h/o/r/w.yml@x.yml@refs/heads/main", "refs/heads/main", None),
    ("https://h/o/r/w.yml", "", None), ("https://h/o/r/w.yml@", "", None), ("@refs/tags/v1", "", None), ("", "", None),
    ("https://h/o/r/w.yml@refs/tags/v 1", "", None), ("https://h/o/r/w.yml@refs/tags/v1\n", "", None),
])  # fmt: skip
def test_where_the_ref_begins(uri: str, ref: str, path: str | None) -> None:
    """A file can be called almost anything: what could be cut in two ways is refused."""
    if path is None:
        with pytest.raises(ValueError, match="no workflow at one ref"):
            split_ref(uri, ref)
    else:
        assert split_ref(uri, ref)[0] == path


@examples(300)
@given(st.lists(st.sampled_from(["w.yml", "@", "refs/", "a" * 40, "/", "x"]), max_size=5), st.sampled_from(["refs/heads/a", "refs/tags/p@1", "refs/a@refs/b"]))  # fmt: skip
def test_no_file_can_be_called_so_that_it_is_taken_for_another(parts: list[str], ref: str) -> None:
    path = "".join(parts)
    try:
        found = split_ref(f"{path}@{ref}", ref)
    except ValueError:
        assert "@" in path or not path
    else:
        assert found == (path, ref)


def test_the_verdict_never_passes_without_the_count(attested: Attested, served: Places, data_home: Path) -> None:
    """What is unclear is decided by its own check, and would not pass without it either."""
    served.index.publish_provenance(WHEEL, b"{}")
    served.index.publish_provenance(SDIST, b"[]")
    verdict = first_use(attested, served, data_home, [])
    assert [check.id for check in verdict.failed()] == ["publisher.first-use"]
    without = verdict._replace(checks=tuple(c for c in verdict.checks if c.outcome is not Outcome.FAIL))
    assert without.exit_code is ExitCode.UNDECIDED
