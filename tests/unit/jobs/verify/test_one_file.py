"""One file that somebody has, held against the evidence that its project publishes: only those bytes, under that name."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import jsonschema_rs
import pytest
from support.fetching import REPO, Answered, command, environment, judge, own_temporary, publish
from support.forge import Forge
from support.keyless import REQUIRING, Run, keyless_world
from support.publishing import Attested
from support.publishing import publish as publish_attested
from support.world import PROJECT, SDIST, SUMS, VERSION, WHEEL, World, build

from sealwright.model.release import Fetched, Release
from sealwright.model.verdict import Outcome
from sealwright.model.withdrawal import SignedWithdrawal, Withdrawal, render_withdrawals
from sealwright.sandbox.places import Endpoint, Places
from sealwright.sandbox.project import build_wheel
from sealwright.sandbox.sigstore import Sigstore
from sealwright.store.places.place import Rules
from sealwright.store.trust_folder import read_trust_folder
from sealwright.verify.checksums import ChecksumLine
from sealwright.verify.identity import read_names

GITHUB = f"github:{REPO}"
FOREIGN = "tiny_project-1.2.3-cp39-cp39-win_amd64.whl"


@pytest.fixture(autouse=True)
def _own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_temporary(tmp_path / "private", monkeypatch)


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Where a person's files lie, among those of other projects."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / SUMS).write_text("of another project")
    return folder


@pytest.fixture
def published(world: World, places: Places) -> World:
    publish(world, places)
    return world


def have(world: World, downloads: Path, name: str = WHEEL) -> str:
    return str(shutil.copy(world.release / name, downloads / name))


def artifacts_of(answer: Answered) -> set[str]:
    assert answer.verdict
    return {artifact.name for artifact in answer.verdict.artifacts}


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_it_alone_is_judged(published: World, places: Places, downloads: Path, name: str) -> None:
    places.index.clear()
    answer = judge(published, places, artifacts=have(published, downloads, name), evidence=GITHUB)
    assert answer.code == 0, answer
    assert artifacts_of(answer) == {name}
    assert answer.verdict
    other = SDIST if name == WHEEL else WHEEL
    (rest,) = [check for check in answer.verdict.not_checked() if check.id == "release.not-fetched"]
    assert (rest.subject, rest.got) == ("the rest of the release", f"not asked for ({other})")
    assert not places.requests[Endpoint.INDEX_LISTING]


def test_the_policy_says_where_its_evidence_is(published: World, places: Places, downloads: Path) -> None:
    file = have(published, downloads)
    answer = judge(published, places, artifacts=file)
    assert answer.code == 11  # an index has no evidence of it
    assert answer.verdict
    [hint] = {check.hint for check in answer.verdict.failed() if check.id == "evidence.present"}
    assert "--evidence-from" in hint
    published.edit_policy('evidence = "index"', f'evidence = "{GITHUB}"')
    assert judge(published, places, artifacts=file).code == 0
    assert judge(published, places, artifacts=file, evidence=str(published.release)).code == 0


def test_evidence_of_a_page_that_has_no_artifacts(published: World, places: Places, downloads: Path) -> None:
    """SHA256SUMS lists files that are nowhere: nobody asked for them."""
    for name in (WHEEL, SDIST):
        places.github.remove(REPO, f"v{VERSION}", name)
    answer = judge(published, places, artifacts=have(published, downloads), evidence=GITHUB)
    assert answer.code == 0, answer
    assert artifacts_of(answer) == {WHEEL}
    assert answer.verdict
    (rest,) = [check for check in answer.verdict.not_checked() if check.id == "release.not-fetched"]
    assert rest.got == f"not asked for ({SDIST})"


def test_a_wheel_for_another_platform(unsealed: World, keys: Forge, places: Places, downloads: Path) -> None:
    """Whoever names it means it."""
    (unsealed.folder / "other").mkdir()
    build_wheel(unsealed.folder / "other", PROJECT, VERSION).rename(unsealed.dist / FOREIGN)
    assert unsealed.seal(keys, keys.alice).returncode == 0
    publish(unsealed, places)
    answer = judge(unsealed, places, artifacts=have(unsealed, downloads, FOREIGN), evidence=GITHUB)
    assert answer.code == 0, answer
    assert artifacts_of(answer) == {FOREIGN}


@pytest.mark.parametrize("evidence", ["page", "folder"])
def test_other_bytes_under_its_name(published: World, places: Places, downloads: Path, evidence: str) -> None:
    where = GITHUB if evidence == "page" else str(published.release)
    path, whole = downloads / WHEEL, (published.release / WHEEL).read_bytes()
    older = build_wheel(build(downloads / "built", VERSION), PROJECT, "1.2.2").read_bytes()
    for content in (whole + b"\0", whole[:-1], b"", (published.release / SDIST).read_bytes(), older):
        path.write_bytes(content)
        answer = judge(published, places, artifacts=str(path), evidence=where)
        assert answer.code == 10
        assert ("checksums.match", WHEEL) in answer.failed()


@pytest.mark.parametrize("size", [4 * 1024**3 + 1, 64 * 1024**3])
def test_a_file_that_is_too_large_to_be_taken_in(published: World, places: Places, downloads: Path, size: int) -> None:
    """Nothing is left to judge then, and that is no verdict that passes."""
    path = downloads / WHEEL
    path.touch()
    os.truncate(path, size)
    for evidence in (GITHUB, str(published.release)):
        answer = judge(published, places, artifacts=str(path), evidence=evidence)
        assert answer.code in (3, 10)
        if answer.verdict:
            [entry] = [check.got for check in answer.verdict.failed() if check.id == "release.entry"]
            assert entry == f"larger than {4 * 1024**3:,} bytes"


def test_a_list_of_files_none_of_which_is_there() -> None:
    """What is only listed was not asked for, and is nothing to say yes to."""
    release = Release("x", (), fetched=Fetched(("x",), only=True))
    names, checks = read_names(release, (ChecksumLine("0" * 64, WHEEL), ChecksumLine("0" * 64, SDIST)))
    assert [name.file for name in names] == sorted([WHEEL, SDIST])
    assert [(check.id, check.outcome) for check in checks] == [("release.artifacts", Outcome.FAIL)]


def test_its_bytes_under_another_name(published: World, places: Places, downloads: Path) -> None:
    """Of a version that is released, too: that of the release that it claims to be must vouch for it."""
    renamed = WHEEL.replace("py3-none-any", "cp311-cp311-linux_x86_64")
    for name, asked in (
        (renamed, VERSION),
        (WHEEL.replace("py3", "1-py3"), VERSION),
        (WHEEL.replace(VERSION, "1.2.4"), "1.2.4"),
        (WHEEL.replace(VERSION, "1.2.4"), VERSION),
    ):
        shutil.copy(published.release / WHEEL, downloads / name)
        for evidence in (GITHUB, str(published.release)):
            answer = judge(
                published, places, artifacts=str(downloads / name), evidence=evidence, asked=f"{PROJECT}=={asked}"
            )
            assert answer.code in (10, 11, 12), (name, evidence)


def test_a_file_of_another_project(published: World, places: Places, downloads: Path) -> None:
    shutil.copy(published.release / WHEEL, downloads / "evil-1.2.3-py3-none-any.whl")
    evil = str(downloads / "evil-1.2.3-py3-none-any.whl")
    answer = judge(published, places, artifacts=evil, evidence=GITHUB)
    assert answer.code == 10
    assert ("release.project", "evil-1.2.3-py3-none-any.whl") in answer.failed()
    assert command(published, places, "--evidence-from", GITHUB, asked=evil).returncode == 2


def test_evidence_that_is_not_there(published: World, places: Places, downloads: Path) -> None:
    file = have(published, downloads)
    places.github.remove(REPO, f"v{VERSION}", SUMS)
    assert judge(published, places, artifacts=file, evidence=GITHUB).code in (11, 12)
    places.github.clear()
    assert judge(published, places, artifacts=file, evidence=GITHUB).code in (11, 12)
    (downloads / SUMS).unlink()
    assert judge(published, places, artifacts=file, evidence=str(downloads)).code in (11, 12)


def test_what_its_page_offers_besides_must_be_listed(published: World, places: Places, downloads: Path) -> None:
    (downloads / FOREIGN).write_bytes(b"evil")
    places.github.publish(REPO, f"v{VERSION}", downloads / FOREIGN)
    answer = judge(published, places, artifacts=have(published, downloads), evidence=GITHUB)
    assert answer.code == 10
    assert ("checksums.listed", FOREIGN) in answer.failed()


def test_a_withdrawal_beside_its_evidence(published: World, places: Places, keys: Forge, downloads: Path) -> None:
    text = Withdrawal(PROJECT, VERSION, "it deletes files", "", "", "2026-01-02").to_bytes()
    signed = SignedWithdrawal(text.decode(), openpgp=(keys.sign(keys.bob, text).decode(),))
    (published.folder / "withdrawn.json").write_bytes(render_withdrawals([signed]))
    places.github.publish(REPO, f"v{VERSION}", published.folder / "withdrawn.json")
    assert judge(published, places, artifacts=have(published, downloads), evidence=GITHUB).code == 13


def test_evidence_among_other_files(published: World, places: Places, downloads: Path) -> None:
    """A folder that is named for its evidence may hold files of other projects and versions."""
    for path in published.release.iterdir():
        shutil.copy(path, downloads / path.name)
    for name in ("tiny_project-1.2.2.tar.gz", "tiny_project-1.2.2.cdx.json", "other-1.2.3.tar.gz", "notes.txt"):
        (downloads / name).write_text("x")
    assert judge(published, places, artifacts=str(downloads / WHEEL), evidence=str(downloads)).code == 0
    (downloads / FOREIGN).write_text("of this release, and in no SHA256SUMS")
    assert judge(published, places, artifacts=str(downloads / WHEEL), evidence=str(downloads)).code == 10


def test_also_compares_it_alone(published: World, places: Places, downloads: Path) -> None:
    file = have(published, downloads)
    assert judge(published, places, artifacts=file, evidence=GITHUB, also="index").code == 0
    places.index.remove(SDIST)
    assert judge(published, places, artifacts=file, evidence=GITHUB, also="index").code == 0
    places.index.remove(WHEEL)
    assert judge(published, places, artifacts=file, evidence=GITHUB, also="index").code == 12


def test_attestations_of_an_index(attested: Attested, places: Places, tmp_path: Path, downloads: Path) -> None:
    """PEP 740, as the file's own evidence; and what the index calls back, it calls back."""
    world = attested.copy(tmp_path / "world").world
    publish_attested(places, attested)
    world.edit_policy("[release]\n", '[release]\nevidence = ["publish-attestations"]\n')
    file = have(world, downloads)
    answer = judge(world, places, artifacts=file)
    assert answer.code == 0, answer
    assert artifacts_of(answer) == {WHEEL}
    assert not places.requests[Endpoint.INDEX_FILE]
    spoilt = downloads / "spoilt" / WHEEL
    spoilt.parent.mkdir()
    spoilt.write_bytes((world.release / WHEEL).read_bytes() + b"\0")
    assert judge(world, places, artifacts=str(spoilt)).code in (10, 11)
    places.index.yank(PROJECT, VERSION, "it eats files")
    assert judge(world, places, artifacts=file).code == 13
    assert judge(world, places, artifacts=file, rules=Rules(allow_yanked=True)).code == 0


@pytest.fixture
def required(sigstore: Sigstore, tmp_path: Path) -> World:
    """A release with attestations about all its files, which the policy requires."""
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING)
    Run(world, sigstore).seal()
    return world


def test_an_attestation_about_more_files(required: World, places: Places, downloads: Path) -> None:
    """The statements name every file of the release, whether SHA256SUMS lists them or nobody does."""
    publish(required, places)
    for name in (WHEEL, SDIST):
        answer = judge(required, places, artifacts=have(required, downloads, name), evidence=GITHUB)
        assert answer.code == 0, answer
    for name in (WHEEL, SDIST):
        places.github.remove(REPO, f"v{VERSION}", name)
    assert judge(required, places, artifacts=str(downloads / WHEEL), evidence=GITHUB).code == 0


def test_an_attestation_about_other_bytes(required: World, places: Places, downloads: Path) -> None:
    """SHA256SUMS, which no one signs here, lists the bytes; the attestations know the name, and no such digest.

    Neither do they know another name, though it is one of the project and the version.
    """
    publish(required, places)
    content = (required.release / WHEEL).read_bytes() + b"\0"
    sums = dict(line.split("  ")[::-1] for line in (required.release / SUMS).read_text().splitlines())
    for name in (WHEEL, FOREIGN):
        (downloads / name).write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()
        (downloads / SUMS).write_text("".join(f"{sums[each]}  {each}\n" for each in sorted(sums)))
        places.github.remove(REPO, f"v{VERSION}", SUMS)
        places.github.publish(REPO, f"v{VERSION}", downloads / SUMS)
        answer = judge(required, places, artifacts=str(downloads / name), evidence=GITHUB)
        assert answer.code in (10, 11), name
        assert "attestation.release" in {check for check, _ in answer.failed()}, name


def test_as_a_person_calls_it(published: World, places: Places, downloads: Path, tmp_path: Path) -> None:
    published.edit_policy('evidence = "index"', f'evidence = "{GITHUB}"')
    file = have(published, downloads)
    done = command(published, places, asked=file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"VERIFIED  {PROJECT} {VERSION}")
    assert WHEEL in done.stdout
    assert f"  not checked  the rest of the release: not asked for ({SDIST})\n" in done.stdout
    (tmp_path / "links").mkdir()
    os.symlink(file, tmp_path / "links" / WHEEL)
    assert command(published, places, asked=str(tmp_path / "links" / WHEEL)).returncode == 0
    assert command(published, places, "--from", file).returncode == 0
    target = tmp_path / "target"
    done = command(published, places, "--install", "--", "--target", str(target), asked=file)
    assert done.returncode == 0, done.stderr
    assert (target / "tiny_project.py").is_file()
    offline = ("--offline", "--evidence-from", "release")
    assert command(published, places, *offline, asked=file).returncode == 0
    verdict = json.loads(command(published, places, "--json", asked=file).stdout)
    schema = Path(__file__).parents[4] / "docs" / "verdict.schema.json"
    jsonschema_rs.validator_for(json.loads(schema.read_text())).validate(verdict)
    assert [artifact["name"] for artifact in verdict["artifacts"]] == [WHEEL]


def test_a_path_that_reads_like_another_place(published: World, places: Places) -> None:
    """An archive may unpack to any folder: what was named is the file in it, not a repository or a folder elsewhere."""
    places.publish(published.release, project=PROJECT, version=VERSION, repository=f"o/{WHEEL}")
    shutil.copytree(published.release, published.folder / "x" / WHEEL)
    for folder in ("github:o", "dir:x"):
        (published.folder / folder).mkdir()
        evil = published.folder / folder / WHEEL
        evil.write_bytes(b"evil")
        done = command(published, places, "--evidence-from", "release", asked=f"{folder}/{WHEEL}")
        assert done.returncode == 10, done.stdout
        assert command(published, places, asked=f"{folder}/{WHEEL}").returncode in (10, 11), done.stdout
        shutil.copy(published.release / WHEEL, evil)
        done = command(published, places, "--evidence-from", "release", asked=f"{folder}/{WHEEL}")
        assert done.returncode == 0, done.stderr


def test_a_file_in_the_home(published: World, places: Places, tmp_path: Path) -> None:
    """The pin lies below it: it was accepted there by a person, and came with no file."""
    home = tmp_path / "home"
    data = {"HOME": str(home), "XDG_DATA_HOME": str(home / ".local" / "share")}
    env = environment(places, home) | data
    home.mkdir()
    fingerprint = read_trust_folder(published.policy, None).fingerprint
    assert published.run("sealwright", "trust", "pin", "keys", "--fingerprint", fingerprint, env=env).returncode == 0
    file = have(published, home)
    done = published.run("verify-release", file, "--evidence-from", "release", env=env)
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_asked(published: World, places: Places, downloads: Path, tmp_path: Path) -> None:
    published.edit_policy('evidence = "index"', f'evidence = "{GITHUB}"')
    file = have(published, downloads)
    os.mkfifo(downloads / SDIST)
    (downloads / "other-1.0.tar.gz").touch()
    (tmp_path / "folder" / WHEEL).mkdir(parents=True)
    shutil.copytree(published.policy.parent, downloads / "keys")
    for asked, more, said in (
        (file, ["--from", "index"], "both say what is verified"),
        (file, ["--evidence-from", file], "holds no evidence"),
        (file, ["--offline"], "name a folder with --evidence-from"),
        (f"{file[: -len(WHEEL)]}tiny_project-1.2.3.cdx.json", [], "An SBOM is verified with its release"),
        (file, ["--kit", str(tmp_path / "kit")], "a kit holds a whole release"),
        (file, ["--policy", str(downloads / "keys" / "policy.toml")], f"inside the release folder {downloads}"),
        (str(downloads / "missing-1.0.tar.gz"), [], "missing-1.0.tar.gz does not exist"),
        (str(downloads / "other-1.0.tar.gz"), [], "policy of tiny-project, not of other"),
        (str(downloads / "tiny_project-1.2.4.tar.gz"), [], "does not exist"),
        (str(downloads / SDIST), [], "is a FIFO"),
        (str(tmp_path / "folder" / WHEEL), [], "is a directory"),
        (str(downloads / "wheel.whl"), [], "no name of a wheel or an sdist"),
        (file, [file], "one word too many"),
    ):
        done = command(published, places, *more, asked=asked)
        assert (done.returncode, done.stdout) == (2, ""), (asked, more, done)
        assert said in done.stderr, (said, done.stderr)
    assert not (tmp_path / "kit").exists()
