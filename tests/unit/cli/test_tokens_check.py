"""`sealwright tokens check`: each thing that can be wrong with a token, in a register, a keyring and CI files that have it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from support.tokens import ADD, Memory, token

from sealwright.collect.workflows import collect_ci_use
from sealwright.errors import UsageError
from sealwright.store.token_register import set_key, set_keys

Call = Callable[..., Result]
ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
PUBLISH = """
on: push
permissions:
  contents: read
jobs:
  publish:
    runs-on: ubuntu-latest
    permissions:
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - name: Publish
        uses: pypa/gh-action-pypi-publish@release/v1
"""


def write(folder: Path, text: str, name: str = ".github/workflows/release.yml") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def register(folder: Path) -> Path:
    return folder / ".sealwright/tokens.toml"


@pytest.fixture
def good(memory: Memory, call: Call) -> Call:
    assert call("add", "good", *ADD, secret=token(project_names=["pkg"])).return_value == 0
    assert call("check").output == "good: upload: pkg\nnothing is wrong\n"
    return call


def found(call: Call, code: int, *more: str) -> str:
    done = call("check", *more)
    assert done.return_value == code, done.output + repr(done.exception)
    return done.output


def test_trusted_publishing_makes_a_token_needless(tmp_path: Path, good: Call) -> None:
    write(tmp_path, PUBLISH)
    said = found(good, 30)
    assert "good is needless: .github/workflows/release.yml publishes there without a token" in said
    set_key(register(tmp_path), "good", "kept", "for the day GitHub is down")
    assert "needless" not in found(good, 0)
    assert "kept       for the day" in good("show", "good").output
    set_keys(register(tmp_path), "good", {"kept": None})
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "another"\n')
    assert "needless" not in found(good, 0), "that workflow is another project's"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "Pkg"\n')
    assert "needless" in found(good, 30)


@pytest.mark.parametrize(
    ("text", "services"),
    [
        (PUBLISH, {"pypi"}),
        (PUBLISH.replace("      id-token: write", "      contents: read"), set()),
        (PUBLISH.replace("    permissions:\n      id-token: write\n", ""), set()),
        (PUBLISH.replace("    permissions:\n      id-token: write\n", "    permissions: write-all\n"), {"pypi"}),
        (PUBLISH.replace("  contents: read\n", "  id-token: write\n").replace("    permissions:\n      id-token: write\n", ""), {"pypi"}),
        (PUBLISH + "        with:\n          password: ${{ secrets.PYPI }}\n", set()),
        (PUBLISH + "        with:\n          repository-url: https://test.pypi.org/legacy/\n", {"testpypi"}),
        (PUBLISH + "        with:\n          repository-url: https://example.org/\n", set()),
        (PUBLISH.replace("pypa/gh-action-pypi-publish@release", "mallory/gh-action-pypi-publish@release"), set()),
        ("[1, 2]", set()), ("jobs: 5", set()), ("jobs: {a: [], b: {steps: 3}, c: {permissions: {id-token: write}, steps: [1]}}", set()),
    ],
)  # fmt: skip
def test_what_trusted_publishing_is(tmp_path: Path, text: str, services: set[str]) -> None:
    write(tmp_path, text)
    assert {service for service, _ in collect_ci_use(tmp_path).trusted} == services


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("publish:\n  id_tokens:\n    PYPI_ID_TOKEN:\n      aud: pypi\n  script: [twine upload dist/*]\n", {"pypi"}),
        ("publish:\n  id_tokens:\n    X:\n      aud: [testpypi, other]\n  script: !reference [a, b]\n", {"testpypi"}),
        ("publish:\n  id_tokens:\n    X:\n      aud: sigstore\n", set()),
        ("stages: [a]\npublish:\n  id_tokens: 5\n", set()),
    ],
)
def test_gitlab(tmp_path: Path, text: str, services: set[str]) -> None:
    write(tmp_path, text, ".gitlab-ci.yml")
    assert {service for service, _ in collect_ci_use(tmp_path).trusted} == services


def test_a_secret_that_no_deadline_covers(tmp_path: Path, good: Call) -> None:
    steps = "jobs:\n  a:\n    steps:\n      - run: x ${{ secrets.NPM_TOKEN }} ${{ secrets['OTHER'] }} ${{ secrets.GITHUB_TOKEN }}\n"
    write(tmp_path, steps + "      # ${{ secrets.OLD }}\n")
    said = found(good, 30)
    assert "NPM_TOKEN is used by .github/workflows/release.yml, and no deadline covers it" in said
    assert "OTHER is used" in said
    assert "GITHUB_TOKEN" not in said
    assert "OLD" not in said
    for name in ("NPM_TOKEN", "OTHER"):
        elsewhere = ["--service", "other", *ADD[2:], "--where", f"github-secret:o/r/{name}"]
        assert good("add", name.lower().replace("_", "-"), *elsewhere).return_value == 0
    assert "is used by" not in found(good, 0)
    good("revoke", "other")
    assert "OTHER is used" in found(good, 30)


def test_a_deadline_that_never_comes(tmp_path: Path, good: Call) -> None:
    set_key(register(tmp_path), "good", "rotate-every", "P100Y")
    assert "is covered by no deadline before 21" in found(good, 30)
    set_keys(register(tmp_path), "good", {"rotate-every": None, "created": date(2062, 1, 1)})
    assert "is covered by no deadline before 2062" in found(good, 30)
    set_key(register(tmp_path), "good", "expires", date(datetime.now(UTC).year + 1, 1, 1))
    assert "is covered" not in found(good, 0), "its expiry is a deadline"


def test_past_its_expiry(tmp_path: Path, memory: Memory, good: Call) -> None:
    over = token(project_names=["pkg"], not_before=1, not_after=1_600_000_000)
    memory.kept["sealwright", "token:good"] = over
    assert "good can do nothing since 2020-09-13" in found(good, 31)
    set_key(register(tmp_path), "good", "expires", date(2020, 2, 29))
    assert "good expired on 2020-02-29" in found(good, 31)


def test_two_with_the_same_secret_wherever_they_are(
    tmp_path: Path, memory: Memory, good: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI", memory.kept["sealwright", "token:good"])
    good("add", "twin", *ADD, "--where", "env:PYPI")
    assert "twin has the same secret as good" in found(good, 30)
    monkeypatch.delenv("PYPI")
    good("add", "third", *ADD, "--where", "env:PYPI")
    assert "third is said to live where twin does" in found(good, 30)


def test_wider_than_its_purpose(memory: Memory, good: Call) -> None:
    def says(secret: str) -> str:
        memory.kept["sealwright", "token:good"] = secret
        return good("check").output

    assert "may do whatever its user may" in says(token())
    assert "good is for pkg, and may upload: other, pkg" in says(token(project_names=["other", "pkg"])).replace(
        "pkg, other", "other, pkg"
    )
    assert "good is for pkg, and may upload: 2 projects, by their numbers" in says(token(project_ids=[ONE, TWO]))
    assert "is for pkg" not in says(token(project_ids=[ONE]))
    assert "nothing is wrong" in says(token(project_names=["pkg"]))
    memory.kept["sealwright", "token:classic"] = "ghp_0123456789abcdefABCDEF0123456789abcd"
    good("add", "classic", "--service", "github", *ADD[2:], secret="ghp_0123456789abcdefABCDEF0123456789abcd")
    said = says(token(project_names=["pkg"]))
    assert "classic is a classic token: it reaches every repository of its user" in said
    assert "0123456789" not in said


def test_what_an_interrupted_rotation_left(memory: Memory, good: Call) -> None:
    memory.kept["sealwright", "token:good:new"] = "x"
    assert "good has a new secret from a rotation that was interrupted" in found(good, 30)
    assert good("revoke", "good").return_value == 0
    assert memory.kept == {}, "a new secret is as good as the old one: it goes, too"


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: &a [*a]\nb: " + "[" * 5000, "\t", "a: b: c", "&a x: 1\n" * 3, "x: " + "*a " * 3000, "y" * 300_000, "!!python/object/apply:os.system ['true']"],
)  # fmt: skip
def test_hostile_workflows(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    said, trusted = ".github/workflows/release.yml", ()
    try:
        trusted = collect_ci_use(tmp_path).trusted
    except UsageError as error:
        said = error.message
    assert trusted == ()
    assert ".github/workflows/release.yml" in said


def test_a_workflow_that_is_a_device_or_not_utf8(tmp_path: Path) -> None:
    import os

    write(tmp_path, "")
    path = tmp_path / ".github/workflows/release.yml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        collect_ci_use(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="FIFO"):
        collect_ci_use(tmp_path)


def test_this_project_s_own_files_are_read() -> None:
    collect_ci_use(Path(__file__).parents[3])


def test_without_a_register_the_secrets_that_workflows_use_are_found_all_the_same(tmp_path: Path, call: Call) -> None:
    empty = "EMPTY: no token is registered (sealwright tokens add --help)\n"
    assert empty in found(call, 0), "a project without tokens does not fail its job"
    assert empty in call("list").output
    write(tmp_path, PUBLISH + "      - run: twine upload\n        env: {P: '${{ secrets.PYPI_TOKEN }}'}\n")
    assert "PYPI_TOKEN is used by .github/workflows/release.yml, and no deadline covers it" in found(call, 30)
    for command in ("check", "list"):
        done = call(command, "--tokens", "nowhere.toml")
        assert isinstance(done.exception, UsageError), "one that was named must be there"
