"""Without a target one lock is audited; whatever else says what the project depends on is named, if nobody looked at it."""

from pathlib import Path

import pytest

from sealwright.collect.targets.dependencies import collect_dependencies
from sealwright.errors import UsageError

SIX = f"six==1.16.0 --hash=sha256:{'0' * 64}\n"  # with a hash, pip installs nothing else: nothing more is to be said
PYLOCK = 'lock-version = "1.0"\ncreated-by = "a test"\n[[packages]]\nname = "six"\nversion = "1.16.0"\n'


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def named(folder: Path) -> str:
    """What the one note says, as it would stand for the folder one stands in."""
    notes = collect_dependencies(folder).notes
    assert len(notes) < 2
    return "".join(notes).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "name",
    [
        "requirements-prod.txt", "requirements.prod.txt", "requirements_dev.txt", "requirements/prod.txt", "pylock.prod.toml",
        "poetry.lock", "pdm.lock", "Pipfile.lock",
    ],
)  # fmt: skip
def test_another_lock_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"requirements.txt": SIX, name: "django==3.2.0\n"})
    assert named(tmp_path) == f"not looked at: {name}"


def test_every_other_lock_is_named(tmp_path: Path) -> None:
    others = ("uv.lock", "requirements.txt", "pylock.prod.toml", "requirements-prod.txt", "requirements/base.txt")
    write(tmp_path, {"pylock.toml": PYLOCK} | dict.fromkeys(others, SIX))
    assert named(tmp_path) == f"not looked at: {', '.join(others)}"


def test_what_was_read_is_not_named(tmp_path: Path) -> None:
    """Also a nested file that lists nothing, and one behind a link; but of constraints only those that apply were read."""
    write(
        tmp_path,
        {
            "requirements.txt": "-r requirements/base.txt\n-c requirements-pins.txt\n-r requirements-none.txt\n",
            "requirements/base.txt": SIX,
            "requirements-pins.txt": SIX,
            "requirements-none.txt": "# nothing\n",
            "requirements/notes.md": "django",
            "other.txt": "django==3.2.0\n",
        },
    )
    (tmp_path / "requirements" / "prod.txt").symlink_to("base.txt")
    (tmp_path / "requirements-folder.txt").mkdir()
    assert named(tmp_path) == "not looked at: requirements-pins.txt"


def test_beside_an_environment_they_are_named_too(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    write(tmp_path, {".venv/pyvenv.cfg": "", "requirements-prod.txt": "django==3.2.0\n"})
    assert collect_dependencies(tmp_path).kind == "environment"
    assert named(tmp_path) == "not looked at: requirements-prod.txt"


def test_where_there_is_nothing_else_they_are_offered(tmp_path: Path) -> None:
    write(tmp_path, {"requirements-prod.txt": "django==3.2.0\n"})
    with pytest.raises(UsageError, match="nothing to audit") as error:
        collect_dependencies(tmp_path)
    assert "requirements-prod.txt" in error.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("poetry.lock", "poetry export"), ("pdm.lock", "pdm export"), ("Pipfile.lock", "pipenv requirements"),
        ("pyproject.toml", "uv lock"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_not_offered(tmp_path: Path, name: str, hint: str) -> None:
    """Whoever is told to name a file must not be told then that it is a broken one of another kind."""
    write(tmp_path, {name: "[project]\n"})
    for target in (tmp_path, tmp_path / name):
        with pytest.raises(UsageError) as error:
            collect_dependencies(target)
        assert hint in error.value.hint
        assert "Name one of" not in error.value.hint
        assert "damaged" not in error.value.message
    write(tmp_path, {"requirements-prod.txt": ""})
    with pytest.raises(UsageError) as error:
        collect_dependencies(tmp_path)
    assert error.value.hint == "Name one of: requirements-prod.txt."


PROJECT = '[project]\nname = "me"\n'
POETRY = '[tool.poetry]\nname = "me"\n[tool.poetry.dependencies]\n'


@pytest.mark.parametrize(
    ("pyproject", "said"),
    [
        (PROJECT + 'dependencies = ["Six>=1", "me[all]"]', ""),
        (PROJECT + 'dependencies = ["Six>=1", "Django~=3.2 ; python_version > \'3\'"]', "requires django"),
        (PROJECT + 'optional-dependencies = { web = ["django"], all = ["six"] }', "requires django"),
        (PROJECT + '[dependency-groups]\ndev = ["pytest", { include-group = "x" }]\nx = ["six"]', "requires pytest"),
        (PROJECT + 'dependencies = ["django", "flask"]', "requires django, flask"),
        (PROJECT + 'dependencies = ["?"]', "requires ?"),
        (PROJECT, ""),
        (PROJECT + 'dynamic = ["version"]', ""),
        (PROJECT + 'dynamic = ["dependencies"]', "some of what it requires is only known when it is built"),
        (POETRY + 'python = "^3.11"\nSix = "^1"\nme = "*"', ""),
        (POETRY + 'Django = { version = "^3", optional = true }', "requires django"),
        (POETRY + '[tool.poetry.group.dev.dependencies]\npytest = "^8"', "requires pytest"),
        (POETRY + '[tool.poetry.dev-dependencies]\npytest = "^8"', "requires pytest"),
        (PROJECT + 'dynamic = ["dependencies"]\n' + POETRY + 'Django = "^3"', "requires django"),
        ("[tool]\npoetry = 1", "cannot be read"),
        ("[build-system]\nrequires = ['setuptools']", ""),
        ("[project", "cannot be read"),
        ("project = 1", "cannot be read"),
        (PROJECT + "dependencies = 1", "cannot be read"),
        ("a = " + "[" * 5000, "cannot be read"),
    ],
)
def test_what_pyproject_requires_and_the_lock_does_not_list(tmp_path: Path, pyproject: str, said: str) -> None:
    write(tmp_path, {"requirements.txt": SIX, "pyproject.toml": pyproject})
    found = named(tmp_path)
    assert found == (f"not looked at: pyproject.toml ({said})" if said else ""), found


@pytest.mark.parametrize("name", ["setup.cfg", "setup.py"])
def test_what_only_a_build_knows(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"requirements.txt": SIX, name: "install_requires = django"})
    assert named(tmp_path) == f"not looked at: {name} (what it requires is only known when it is built)"
    write(tmp_path, {name: "setup()"})
    assert named(tmp_path) == ""


def test_a_flood_of_them_is_cut(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": SIX} | {f"requirements-{number:02}.txt": "" for number in range(60)})
    assert named(tmp_path).endswith("requirements-49.txt, and 10 more")
