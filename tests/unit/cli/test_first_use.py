"""`verify-release --first-use`, as a person and as a script run it: never a silent yes, and never weaker than a pin."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from support.fetching import environment
from support.keyless import WORKFLOW
from support.publishing import ARTIFACTS, Attested, provenance_by, publish
from support.terminal import on_terminal
from support.world import PROJECT, VERSION, World

from sealwright.sandbox.places import Places
from sealwright.sandbox.sigstore import Sigstore
from sealwright.store.trust_sums_writing import write_sums

ASKED = f"{PROJECT}=={VERSION}"
SCHEMA = Path(__file__).parents[3] / "docs" / "verdict.schema.json"


class User:
    """Somebody with a home of their own, the index, and nothing of the project's."""

    def __init__(self, attested: Attested, places: Places, folder: Path) -> None:
        self.root = str(attested.world.folder / "keys" / "root.json")
        self.places, self.home = places, World(folder)
        folder.mkdir()
        self.env = environment(places, folder)

    def run(self, *command: str, code: int = 0) -> str:
        done = self.home.run(*command, env=self.env)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def verify(self, *more: str, code: int = 0, asked: str = ASKED) -> str:
        return self.run("verify-release", asked, *more, code=code)

    def first(self, *more: str, code: int = 0, asked: str = ASKED) -> str:
        return self.verify("--first-use", "--trusted-root", self.root, *more, code=code, asked=asked)


@pytest.fixture
def user(attested: Attested, places: Places, tmp_path: Path) -> User:
    publish(places, attested)
    return User(attested, places, tmp_path / "user")


def digits_of(screen: str) -> str:
    return next(line.split()[1] for line in screen.splitlines() if line.startswith("  fingerprint "))


def test_a_script_must_say_whom_it_means(user: User, attested: Attested, sigstore: Sigstore, data_home: Path) -> None:
    assert "--first-use shows who published it" in user.verify(code=2)
    said = user.first(code=2)
    assert "nobody is here to accept" in said
    assert "https://github.com/o/r/.github/workflows/release.yml" in said
    digits = digits_of(said)
    assert "another fingerprint" in user.first("--fingerprint", "0" * 64, code=10)
    assert not (data_home / "pins").exists()
    assert not (data_home / "seen").exists()
    kit = str(user.home.folder / "kit")
    assert "a first use has none" in user.first("--fingerprint", digits, "--kit", kit, code=2)
    assert not (data_home / "pins").exists()
    said = user.first("--fingerprint", digits)
    assert "VERIFIED (in a sandbox)" in said
    assert "a first use has none" in user.verify("--kit", kit, code=2)
    assert "trust on first use, since today" in said
    said = user.verify(asked=VERSION)
    assert "publisher that was accepted on first use (Sigstore https://github.com/o/r" in said
    assert "trust on first use, since today" in said
    assert "what=first-use" in user.run("sealwright", "log", "show")
    # A stricter option counts at a first use, too, and its line goes into the log that is named.
    user.run("sealwright", "trust", "unpin", PROJECT)
    said = user.first("--fingerprint", digits, "--fail-on-new", code=2)
    assert "no advisory index" in said
    user.first("--fingerprint", digits, "--log", "own.jsonl")
    assert "what=first-use" in user.run("sealwright", "log", "show", "--log", "own.jsonl")
    # Asking again changes nothing, and does not ask.
    user.verify("--first-use", "--fingerprint", digits)
    assert "is no fingerprint" in user.verify("--first-use", "--fingerprint", "yes", code=2)
    user.verify("--first-use", "--fingerprint", "0" * 64, code=10)
    assert "Leave --trusted-root out" in user.first(code=2)
    # Somebody else has taken the name.
    evil = WORKFLOW._replace(repository_id="9", repository_owner_id="8")
    for name in ARTIFACTS:
        user.places.index.publish_provenance(name, provenance_by(sigstore, evil, attested.world.release / name))
    said = user.verify(code=11)
    assert "[publisher.changed]" in said
    assert "now https://github.com/o/r/.github/workflows/release.yml (repository id 9, owner id 8)" in said
    assert f"(repository id {WORKFLOW.repository_id}, owner id {WORKFLOW.repository_owner_id})" in said
    assert "another repository id, owner id" in said
    verdict = json.loads(user.verify("--json", code=11))
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(verdict)
    assert verdict["policy"]["pin"]["kind"] == "first-use"
    assert (verdict["policy"]["version"], verdict["policy"]["expires"]) == (0, None)
    assert verdict["policy"]["fingerprint"] == digits


def test_a_person_accepts(user: User, data_home: Path) -> None:
    command = ["sealwright.cli.plain_call", ASKED, "--first-use", "--trusted-root", user.root]
    question = "the project's own publisher?"
    code, screen = on_terminal(command, user.home.folder, user.env | {"NO_COLOR": "1"}, {question: "n"}, echo=True)
    assert code == 130, screen
    assert "VERIFIED" not in screen
    assert not (data_home / "pins").exists()
    code, screen = on_terminal(command, user.home.folder, user.env | {"NO_COLOR": "1"}, {question: ""}, echo=True)
    assert code == 130, screen  # nothing typed is no
    code, screen = on_terminal(command, user.home.folder, user.env | {"NO_COLOR": "1"}, {question: "y"}, echo=True)
    assert code == 0, screen
    shown = [line for line in screen.splitlines() if "/" not in line and not line.startswith("  fingerprint")]
    assert [line for line in shown if len(line) > 80] == []
    assert "  repository id     1000001\r\n" in screen
    listed = user.run("sealwright", "trust", "list")
    assert "no policy: trusted on first use" in listed
    document = json.loads(user.run("sealwright", "trust", "list", "--json"))["pins"][0]
    assert document["publisher"]["repository_id"] == "1000001"
    assert "accepted on first use" in user.run("sealwright", "trust", "show", PROJECT)
    user.run("sealwright", "trust", "unpin", PROJECT)
    user.verify(code=2)


def test_a_policy_is_stronger(user: User, attested: Attested, tmp_path: Path) -> None:
    world = attested.copy(tmp_path / "world").world
    keys = str(world.folder / "keys")
    policy = ("--policy", str(world.policy))
    assert "there is no first use" in user.verify("--first-use", *policy, code=2)
    for option in (("--fingerprint", "0" * 64), ("--trusted-root", user.root)):
        assert "without --first-use" in user.verify(*option, code=2)
    assert "needs the project's name" in user.first(asked=VERSION, code=2)
    user.first("--fingerprint", digits_of(user.first(code=2)))
    world.edit_policy('tag = "v{version}"\n', 'tag = "v{version}"\nevidence = ["publish-attestations"]\n')
    (world.folder / "keys" / "SHA256SUMS").unlink(missing_ok=True)
    said = user.run("sealwright", "trust", "pin", keys, "--fingerprint", write_sums(world.folder / "keys"))
    assert "takes the place of a first use" in said
    assert "is one of its signers" in said
    assert "trust on first use" not in user.verify()
    assert "stronger than a first use" in user.first(code=2)
    assert "what=replace" in user.run("sealwright", "log", "show")
    user.run("sealwright", "trust", "unpin", PROJECT)
    assert "version 1 of its policy: a first use would be weaker" in user.first(code=2)


def test_a_password_in_the_address_is_kept_nowhere(user: User, data_home: Path) -> None:
    place = ("--from", f"index:{user.places.index.url.replace('://', '://reader:canary-secret@')}")
    user.places.index.require_login("reader", "canary-secret")
    try:
        said = user.first(*place, code=2)
        said += user.first(*place, "--fingerprint", digits_of(said)) + user.verify(*place, "--json")
    finally:
        user.places.index.open_to_all()
    said += user.run("sealwright", "trust", "list") + user.run("sealwright", "log", "show")
    kept = [path for path in data_home.rglob("*") if path.is_file()]
    assert len(kept) >= 3
    assert "canary-secret" not in said + "".join(path.read_text() for path in kept)
    assert "from index:http://127.0.0.1" in said


def test_nothing_to_go_by(user: User) -> None:
    for name in ARTIFACTS:
        user.places.index.publish_provenance(name, None)
    said = user.first(code=12)
    assert "has no attestation (PEP 740) there" in said


def test_a_folder_and_an_interrupted_disk(user: User, attested: Attested, data_home: Path) -> None:
    """A folder with the attestations beside the files does as well; a home that can not be written pins nothing."""
    folder = user.home.folder / "got"
    folder.mkdir()
    for name in ARTIFACTS:
        (folder / name).write_bytes((attested.world.release / name).read_bytes())
        (folder / f"{name}.publish.attestation").write_bytes(attested.attestation(name))
    digits = digits_of(user.first("--from", "got", code=2))
    lock = data_home / "pins" / ".lock"
    lock.mkdir(parents=True)  # so that nothing can be written there
    assert "Nothing was pinned" in user.first("--from", "got", "--fingerprint", digits, code=3)
    lock.rmdir()
    user.first("--from", "got", "--fingerprint", digits)
    user.verify("--from", "got")
