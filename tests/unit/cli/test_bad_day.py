"""docs/bad-day.md, rehearsed: its commands are taken from the page and run as they are written; and docs/keys.md's."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.forge import be_quick
from support.world import PROJECT, VERSION, build

from sealwright.gnupg.home import private_home
from sealwright.model.policy_toml import parse_policy

ROOT = Path(__file__).parents[3]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("bad-day", "keys")}


def block(page: str, marker: str) -> str:
    found = re.search(rf"<!-- steps: {marker} -->\n```bash\n(.*?)```", PAGES[page], re.DOTALL)
    assert found, marker
    return found[1]


@dataclass
class Project:
    """A project with a key of its own, made as docs/keys.md says, and a sealed release."""

    folder: Path
    environment: dict[str, str]
    said: list[str] = field(default_factory=list)

    def run(self, step: str, *, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step], cwd=self.folder, env=self.environment | variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{step}\n{done.stdout}"
        self.said.append(done.stdout)
        return done.stdout

    def verify(self, folder: str = "release") -> int:
        done = subprocess.run(
            ["verify-release", f"{PROJECT}=={VERSION}", "--from", folder, "--policy", "keys/policy.toml"],
            cwd=self.folder, env=self.environment, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode

    def parts(self) -> dict[str, list[str]]:
        """The keys of the policy with their subkeys, as `keys status` shows them."""
        import json

        found = json.loads(self.run("sealwright keys status --json"))
        return {
            key["fingerprint"]: [p["fingerprint"] for p in key["parts"] if not p["primary"]] for key in found["keys"]
        }


def environment_of(place: Path, home: Path) -> dict[str, str]:
    git = {f"GIT_{who}_{what}": "x@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return os.environ | git | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(place), "XDG_STATE_HOME": str(place / "state"), "XDG_CONFIG_HOME": str(place / "none"),
        "GNUPGHOME": str(home), "GIT_CONFIG_GLOBAL": "/dev/null",
        "PYTHONPATH": str(ROOT / "tests"), "PYTHON_KEYRING_BACKEND": "support.file_keyring.FileKeyring",
        "TEST_KEYRING": str(place / "keyring.json"), "BACKUP": str(place / "backup"), "COLUMNS": "80",
        "SIGNER": "release manager", "LAST": VERSION,
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The first day, once: a key, and a release that is sealed with it."""
    place = tmp_path_factory.mktemp("first-day") / "place"
    folder = place / "project"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{PROJECT}"\nversion = "{VERSION}"\n')
    build(folder / "dist")
    with private_home("gpg") as home:
        be_quick(home.folder)
        first = Project(folder, environment_of(place, home.folder))
        first.run("git init --quiet && sealwright init && git add . && git commit --quiet --message begin")
        first.run(block("keys", "first"))
        (key,) = first.parts()
        first.environment["KEY"] = key
        first.run(block("keys", "seal"))
        assert first.verify() == 0
        yield first


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of it all, the keyring included, to have a bad day in."""
    place = tmp_path / "place"
    shutil.copytree(made.folder.parent, place)
    with private_home("gpg") as home:
        be_quick(home.folder)
        for name in ("pubring.kbx", "trustdb.gpg"):
            shutil.copy(Path(made.environment["GNUPGHOME"]) / name, home.folder)
        shutil.copytree(Path(made.environment["GNUPGHOME"]) / "private-keys-v1.d", home.folder / "private-keys-v1.d")
        environment = environment_of(place, home.folder) | {"KEY": made.environment["KEY"]}
        yield Project(place / "project", environment, list(made.said))


def test_a_stolen_subkey(project: Project) -> None:
    """Revoked and replaced; its release no longer counts until it was signed again; and all of it is published."""
    key = project.environment["KEY"]
    (stolen,) = project.parts()[key]
    said = project.run(block("bad-day", "subkey"), SUBKEY=stolen)
    assert f"the old subkey {stolen} stays revoked; its secret part was deleted here" in said
    assert project.verify() == 11, "what the thief could have signed is not believed any more"
    project.run(block("bad-day", "sign again"))
    assert project.verify("release-again") == 0
    assert project.parts()[key][0] == stolen
    log = project.run(block("bad-day", "publish"))
    assert [word for word in ("made", "revoked as compromised", "rotated") if word not in log] == []
    policy = parse_policy((project.folder / "keys/policy.toml").read_bytes())
    assert policy.version == 4
    assert "keys/" not in project.run("git status --short")
    leaks_nothing(project)


def test_a_stolen_key_and_then_a_stolen_token(project: Project) -> None:
    key = project.environment["KEY"]
    copy = project.folder / "keys-as-users-have-it"
    project.run(f"cp -r keys {copy}")
    project.run(block("bad-day", "key"))
    assert project.verify() == 11
    (new,) = set(project.parts()) - {key}
    project.run(block("bad-day", "sign again"), KEY=new)
    assert project.verify("release-again") == 0
    policy = parse_policy((project.folder / "keys/policy.toml").read_bytes())
    assert [signer.name for signer in policy.signers] == ["release manager"], "who still counts once"
    # With the copy from before, the stolen key still counts: that is why users must be told.
    stranger = str(project.folder / "another-user")
    done = project.run(
        f"verify-release {PROJECT}=={VERSION} --from release --policy {copy}/policy.toml", XDG_DATA_HOME=stranger
    )
    assert "older" in project.run(
        f"verify-release {PROJECT}=={VERSION} --from release --policy {copy}/policy.toml", code=14
    ), "who has used the new policy can not be given the old one"
    assert "VERIFIED" in done
    add = "--service github --scope releases --owner me --purpose upload"
    project.run(f"sealwright tokens add upload {add} <<<'a-secret-of-no-value-0123'")
    said = project.run(block("bad-day", "token"), TOKEN="upload")
    assert "delete it at its service" in said
    assert "revoked" in said
    assert "a-secret-of-no-value-0123" not in Path(project.environment["TEST_KEYRING"]).read_text()


def test_a_revocation_by_certificate_and_a_lost_key(project: Project) -> None:
    before = {path: path.read_bytes() for path in (project.folder / "keys").iterdir()}
    project.run(block("bad-day", "lost"))
    assert project.verify() == 0, "what it has signed still verifies"
    for path, content in before.items():
        path.write_bytes(content)
    project.run('rm -r "$GNUPGHOME/private-keys-v1.d"')
    project.environment["XDG_DATA_HOME"] = str(project.folder / "another-user")  # who saw nothing of the above
    project.run(block("bad-day", "certificate"))
    assert project.verify() == 11


def leaks_nothing(project: Project) -> None:
    """The passphrase that was made is in the keyring, and in no output, log, or file of the project or the backup."""
    import json

    (passphrase,) = json.loads(Path(project.environment["TEST_KEYRING"]).read_text()).values()
    assert len(passphrase) == 39
    assert not any(passphrase in said for said in project.said)
    kept = Path(project.environment["TEST_KEYRING"])
    for path in project.folder.parent.rglob("*"):
        if path.is_file() and path != kept:
            assert passphrase.encode() not in path.read_bytes(), path


def test_every_block_of_the_page_is_rehearsed() -> None:
    source = Path(__file__).read_text()
    for page, text in PAGES.items():
        for marker in re.findall(r"<!-- steps: (.*?) -->", text):
            assert f'block("{page}", "{marker}")' in source, marker
        assert text.count("```bash") == len(re.findall(r"<!-- steps: ", text))
