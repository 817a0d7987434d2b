"""in-toto's own programs over the same files: they agree with us, but for what they are too kind about."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.forge import Forge
from support.in_toto import CASES, People, Scenario, demo, failed, sublayout_that_runs
from support.world import WHEEL

# What in-toto-verify lets pass, each by name. A command that failed is only noted by it, another command only warned
# of, and CREATE only permits (in-toto 3.1.0; specification 4.3.1 and 4.3.3.2).
TOO_KIND = {"command_that_returned_7", "another_command", "create_without_a_product"}


@pytest.fixture(scope="module")
def people(keys: Forge) -> People:
    return People(keys)


def in_toto(program: str, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def in_toto_verify(scenario: Scenario, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Verify the scenario as in-toto's demo does: with an inspection that compares the product, beside it."""
    evidence = scenario.render(inspect=True)
    (folder / "root.layout").write_bytes(evidence.layout)
    for name, content in (evidence.links | scenario.artifacts).items():  # type: ignore[operator]
        (folder / name).write_bytes(content)
    home = str(scenario.people.forge.home.folder)
    key = scenario.people.fingerprint("alice").lower()
    return in_toto("in-toto-verify", "--layout", "root.layout", "--gpg", key, "--gpg-home", home, cwd=folder)


def test_the_three_cases_are_the_only_ones() -> None:
    assert {name for name, case in CASES.items() if case.kind} == TOO_KIND


def test_both_accept_the_demo(people: People, tmp_path: Path) -> None:
    scenario = demo(people)
    done = in_toto_verify(scenario, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not failed(scenario.check())


@pytest.mark.parametrize("name", CASES)
def test_both_refuse_what_is_spoilt(people: People, tmp_path: Path, name: str) -> None:
    scenario = demo(people)
    CASES[name].spoil(scenario)
    assert failed(scenario.check())
    done = in_toto_verify(scenario, tmp_path)
    assert done.returncode == (0 if name in TOO_KIND else 1), done.stderr
    assert "Traceback" not in done.stderr


def test_both_accept_a_link_too_many(people: People, tmp_path: Path) -> None:
    """A link by somebody else beside the good one hides it from nobody."""
    scenario = demo(people)
    package = scenario.written("package")
    scenario.links.append(type(package)("mallory", package.link))
    assert not failed(scenario.check())
    assert in_toto_verify(scenario, tmp_path).returncode == 0


def test_a_sublayout_runs_its_code_in_in_toto_and_none_in_ours(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carl, who may only package, puts a layout in place of his link; both refuse it, one of them after running it."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    scenario = demo(people)
    sublayout_that_runs(scenario, ["touch", "was-here"])
    monkeypatch.chdir(ours)
    assert "layout.sublayout" in failed(scenario.check())
    assert not list(ours.iterdir())
    done = in_toto_verify(scenario, theirs)
    assert done.returncode == 1
    assert (theirs / "was-here").exists(), "in-toto ran the code of whoever made the link"


def test_links_of_our_steps_and_theirs_are_the_same(people: People, tmp_path: Path) -> None:
    """in-toto-run and sealwright step write links that differ in nothing but their signatures."""
    import json

    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from support.world import run

    private = people.files["carl"]._private_key
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "carl.pem").write_bytes(pem)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "foo.py").write_text("print('foo')\n")
    build = ["python3", "-c", f"import os; os.makedirs('dist', exist_ok=True); open('dist/{WHEEL}', 'w').write('x')"]
    by_us = run(
        "sealwright", "step", "package", "--materials", "src", "--products", "dist/*", "--key-file", "carl.pem",
        "--out", "ours", "--", *build, cwd=tmp_path,
    )  # fmt: skip
    assert by_us.returncode == 0, by_us.stderr
    by_them = in_toto(
        "in-toto-run", "--step-name", "package", "--materials", "src", "--products", f"dist/{WHEEL}",
        "--signing-key", "carl.pem", "--metadata-directory", ".", "--", *build, cwd=tmp_path,
    )  # fmt: skip
    assert by_them.returncode == 0, by_them.stderr
    name = f"package.{people.key_id('carl'):.8}.link"
    ours, theirs = (json.loads((tmp_path / folder / name).read_text()) for folder in ("ours", "."))
    assert ours["signed"] == theirs["signed"]
    assert ours["signatures"] == theirs["signatures"]  # Ed25519 signs the same bytes in the same way
