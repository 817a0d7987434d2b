"""A checkout whose configuration names programs: none of them runs where signing tokens are, by a real git."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.collect.built.build_facts import collect_build
from sealwright.errors import SealwrightError, UsageError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LFS = {"clean": "git-lfs clean -- %f", "smudge": "git-lfs smudge -- %f", "process": "git-lfs filter-process"}


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgsign=false"]
    more = ["-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", "-C", str(folder), *who, *more, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / name).write_text(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")


def touch(folder: Path) -> None:
    """Make git look into every file again: no time agrees with its index."""
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "pyproject.toml").write_text('[project]\nname = "tiny-project"\nversion = "1.2.3"\n')
    (folder / ".gitattributes").write_text("*.txt filter=evil diff=evil\n*.bin filter=lfs\n*.md filter=a=b\n")
    commit(folder, **{"a.txt": "a\n", "b.md": "b\n"})
    git(folder, "tag", "v1.2.3")
    git(folder, "remote", "add", "origin", "https://github.com/o/r.git")
    return folder


def doubts(folder: Path) -> tuple[str, ...]:
    return collect_build({}, folder, "v1.2.3", "", NOW).doubts


# Each way lets git run `program`, which makes a marker file; `folder` is the checkout.


def by_clean(folder: Path, program: str) -> None:
    git(folder, "config", "filter.evil.clean", program)


def by_required_clean(folder: Path, program: str) -> None:
    git(folder, "config", "filter.evil.clean", program)
    git(folder, "config", "filter.evil.required", "true")


def by_process(folder: Path, program: str) -> None:
    git(folder, "config", "filter.evil.process", program)


def by_capitals(folder: Path, program: str) -> None:
    with (folder / ".git/config").open("a") as stream:
        stream.write(f'[FILTER "evil"]\n\tCLEAN = "{program}"\n')


def by_old_spelling(folder: Path, program: str) -> None:
    with (folder / ".git/config").open("a") as stream:
        stream.write(f'[filter.evil]\n\tclean = "{program}"\n')


def by_equals_sign(folder: Path, program: str) -> None:
    git(folder, "config", "filter.a=b.clean", program)


def by_no_name(folder: Path, program: str) -> None:
    git(folder, "config", "filter..clean", program)
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/attributes").write_text("* filter=\n")


def by_strange_name(folder: Path, program: str) -> None:
    name = "a.b \"c'd\\é;$(x)"
    git(folder, "config", f"filter.{name}.clean", program)
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/attributes").write_text('"*.txt" filter=a.b\n')
    git(folder, "config", "filter.a.b.clean", program)


def by_include(folder: Path, program: str) -> None:
    git(folder, "config", "--file", str(folder.parent / "more"), "filter.evil.clean", program)
    git(folder, "config", "include.path", str(folder.parent / "more"))


def by_conditional_include(folder: Path, program: str) -> None:
    git(folder, "config", "--file", str(folder.parent / "more"), "filter.evil.clean", program)
    git(folder, "config", "includeIf.onbranch:main.path", str(folder.parent / "more"))


def by_worktree_config(folder: Path, program: str) -> None:
    git(folder, "config", "extensions.worktreeConfig", "true")
    git(folder, "config", "--worktree", "filter.evil.clean", program)


def by_own_attributes(folder: Path, program: str) -> None:
    git(folder, "config", "filter.other.clean", program)
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/attributes").write_text("* filter=other\n")


def by_lfs_that_is_another(folder: Path, program: str) -> None:
    git(folder, "config", "filter.lfs.clean", program)
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/attributes").write_text("* filter=lfs\n")


def by_submodule(folder: Path, program: str) -> None:
    module = add_submodule(folder)
    git(module, "config", "filter.evil.clean", program)
    git(module, "config", "core.fsmonitor", program)


def by_fsmonitor(folder: Path, program: str) -> None:
    git(folder, "config", "core.fsmonitor", program)


def by_hooks_path(folder: Path, program: str) -> None:
    hooks = folder.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\n{program}\n")
        (hooks / name).chmod(0o755)
    git(folder, "config", "core.hooksPath", str(hooks))
    git(folder, "config", "core.fsmonitor", str(hooks / "fsmonitor-watchman"))


def by_diff(folder: Path, program: str) -> None:
    for key in (
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "core.pager",
        "alias.status",
        "gpg.program",
    ):
        git(folder, "config", key, f"!{program}" if key.startswith("alias") else program)
    git(folder, "config", "log.showSignature", "true")
    (folder / "a.txt").write_text("changed\n")


def by_lazy_fetch(folder: Path, program: str) -> None:
    """A partial clone lacks objects, and git fetches those that it is asked for, by any transport it is told."""
    git(folder, "config", "extensions.partialClone", "origin")
    git(folder, "config", "core.repositoryFormatVersion", "1")
    git(folder, "config", "remote.origin.promisor", "true")
    git(folder, "config", "remote.origin.url", "ext::" + program)
    git(folder, "config", "protocol.ext.allow", "always")
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    (folder / ".git/objects" / tree[:2] / tree[2:]).unlink()


def by_lazy_fetch_over_a_shell(folder: Path, program: str) -> None:
    by_lazy_fetch(folder, program)
    git(folder, "config", "remote.origin.url", "ssh://example.invalid/r.git")
    git(folder, "config", "core.sshCommand", program + "; false")


def by_lazy_fetch_of_the_commit(folder: Path, program: str) -> None:
    by_lazy_fetch(folder, program)
    head = git(folder, "rev-parse", "HEAD")
    (folder / ".git/objects" / head[:2] / head[2:]).unlink()
    git(folder, "config", "remote.origin.url", str(folder))
    git(folder, "config", "remote.origin.uploadpack", program + "; false")


WAYS = [value for name, value in list(globals().items()) if name.startswith("by_")]


def add_submodule(folder: Path) -> Path:
    other = folder.parent / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    commit(other, **{".gitattributes": "* filter=evil\n", "c.txt": "c\n"})
    git(folder, "submodule", "--quiet", "add", str(other), "module")
    git(folder, "commit", "-q", "-m", "a submodule")
    git(folder, "tag", "-f", "v1.2.3")
    return folder / "module"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_that_the_checkout_names_is_run(checkout: Path, way: Callable[[Path, str], None]) -> None:
    marker = checkout.parent / "marker"
    way(checkout, f"touch {marker}")
    marker.unlink(missing_ok=True)  # setting it up may have run it
    touch(checkout)
    try:
        found = doubts(checkout)
    except SealwrightError as error:
        found = (error.message,)
    assert not marker.exists(), found


@pytest.mark.parametrize("way", [way for way in WAYS if way is not by_diff], ids=lambda way: way.__name__)
def test_the_attack_is_one(checkout: Path, way: Callable[[Path, str], None]) -> None:
    """A plain `git status` of these does run what they name: else the test above would show nothing."""
    marker = checkout.parent / "marker"
    way(checkout, f"touch {marker}")
    marker.unlink(missing_ok=True)
    touch(checkout)
    subprocess.run(["git", "-C", str(checkout), "status"], capture_output=True, check=False)
    assert marker.exists()


@pytest.mark.parametrize(
    "way", [by_clean, by_process, by_old_spelling, by_own_attributes], ids=lambda way: way.__name__
)
def test_what_a_filter_would_have_to_tell_is_a_doubt(checkout: Path, way: Callable[[Path, str], None]) -> None:
    way(checkout, "cat")
    touch(checkout)
    assert doubts(checkout) == (), "byte for byte what was committed"
    (checkout / "a.txt").write_text("A\n")
    name = "other" if way is by_own_attributes else "evil"
    assert doubts(checkout) == (f"nothing says whether a.txt is as committed: the filter '{name}' is not run",)
    (checkout / "pyproject.toml").write_text('[project]\nname = "another"\n')
    if way is not by_own_attributes:
        assert doubts(checkout) == ("the checkout has changes that are in no commit",)


def test_a_name_that_cannot_be_switched_off_is_refused(checkout: Path) -> None:
    by_equals_sign(checkout, "cat")
    with pytest.raises(UsageError, match="= in its name"):
        doubts(checkout)


# Git LFS, as `git lfs install` configures it; its program is not needed, and is not run.


def lfs(folder: Path) -> Path:
    """Commit a file of Git LFS as its program would have done, and have it in the working tree as it would be."""
    content = os.urandom(100_000)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(content).hexdigest()}\n"
    commit(folder, **{"data.bin": f"{pointer}size {len(content)}\n"})
    git(folder, "tag", "-f", "v1.2.3")
    for key, value in LFS.items():
        git(folder, "config", f"filter.lfs.{key}", value)
    git(folder, "config", "filter.lfs.required", "true")
    git(folder, "config", "lfs.extension.evil.clean", f"touch {folder.parent / 'marker'}")
    (folder / "data.bin").write_bytes(content)
    return folder / "data.bin"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git-lfs that tells that it ran."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git-lfs").write_text(f"#!/bin/sh\ntouch {tmp_path / 'marker'}\n")
    (folder / "git-lfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "marker"


@pytest.mark.parametrize("there", [True, False])
def test_git_lfs_works_and_is_not_run(checkout: Path, there: bool, request: pytest.FixtureRequest) -> None:
    marker = request.getfixturevalue("program") if there else checkout.parent / "marker"
    file = lfs(checkout)
    marker.unlink(missing_ok=True)
    assert doubts(checkout) == ()
    touch(checkout)
    assert doubts(checkout) == ()
    content = file.read_bytes()
    for changed in (content[:-1] + bytes([content[-1] ^ 1]), content + b"x", b""):
        file.write_bytes(changed)
        assert doubts(checkout) == ("the checkout has changes that are in no commit",)
    file.write_bytes(content)
    assert doubts(checkout) == ()
    file.chmod(0o755)
    assert doubts(checkout) == ("the checkout has changes that are in no commit",)
    file.chmod(0o644)
    file.unlink()
    file.symlink_to(checkout / "pyproject.toml")
    assert doubts(checkout) == ("the checkout has changes that are in no commit",)
    assert not marker.exists()


def test_a_pointer_that_is_not_one_is_a_change(checkout: Path) -> None:
    """Only exactly what the pointer's format says: what has extensions, or is of another kind, is of other bytes."""
    file = lfs(checkout)
    content = file.read_bytes()
    pointer = git(checkout, "cat-file", "blob", "HEAD:data.bin")
    for wrong in (pointer.replace("oid", "ext-0-evil sha256:" + "0" * 64 + "\noid"), pointer.replace("v1", "v2"), ""):
        git(checkout, "-c", "filter.lfs.required=false", "-c", "filter.lfs.clean=", "-c", "filter.lfs.process=",
            "rm", "-q", "--cached", "data.bin")  # fmt: skip
        file.write_text(wrong + "\n")
        off = ["-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"]
        git(checkout, *off, "add", "data.bin")
        git(checkout, *off, "commit", "-q", "--allow-empty", "-m", "wrong")
        git(checkout, "tag", "-f", "v1.2.3")
        file.write_bytes(content)
        assert doubts(checkout) == ("the checkout has changes that are in no commit",), wrong


# What is not run must not be passed over either.


def test_a_change_in_a_submodule_is_seen(checkout: Path) -> None:
    module = add_submodule(checkout)
    assert doubts(checkout) == ()
    (module / "c.txt").write_text("changed\n")
    assert doubts(checkout) == (f"the checkout has changes that are in no commit (in {module})",)
    git(module, "checkout", "-q", "c.txt")
    assert doubts(checkout) == ()
    commit(module, **{"c.txt": "another commit\n"})
    assert doubts(checkout) == ("the checkout has changes that are in no commit",)


def test_files_where_a_submodule_was_not_checked_out_are_seen(checkout: Path) -> None:
    """A CI job leaves submodules empty unless it is told otherwise, and git looks into none that is not there."""
    module = add_submodule(checkout)
    git(checkout, "submodule", "--quiet", "deinit", "--force", "module")
    assert doubts(checkout) == ()
    (module / "evil.py").write_text("import os\n")
    (doubt,) = doubts(checkout)
    assert "module/" in doubt


def test_a_submodule_that_cannot_be_looked_into_is_a_doubt(checkout: Path) -> None:
    module = add_submodule(checkout)
    shutil.rmtree(module)
    module.symlink_to(module)  # as good as a folder without rights, which root would look into
    assert "the checkout has files that are in no commit: module/" in doubts(checkout)


def test_submodules_that_lead_back_end(checkout: Path) -> None:
    """Links to the checkout itself, in the place of submodules: looked at once, and said."""
    module = add_submodule(checkout)
    head = git(module, "rev-parse", "HEAD")
    for number in range(8):
        git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{head},m{number}")
        (checkout / f"m{number}").symlink_to(checkout)
    git(checkout, "commit", "-q", "-m", "more submodules")
    git(checkout, "tag", "-f", "v1.2.3")
    assert len(doubts(checkout)) <= 9


@pytest.mark.parametrize("change", ["staged", "deleted", "renamed", "mode", "unmerged"])
def test_every_kind_of_change_is_seen(checkout: Path, change: str) -> None:
    file = checkout / "pyproject.toml"
    before = file.read_text()
    match change:
        case "staged":
            file.write_text(before + "\n")
            git(checkout, "add", "pyproject.toml")
            file.write_text(before)
        case "deleted":
            (checkout / "b.md").unlink()
        case "renamed":
            git(checkout, "mv", "b.md", "c.md")
        case "mode":
            file.chmod(0o755)
        case "unmerged":
            git(checkout, "checkout", "-q", "-b", "other")
            commit(checkout, **{"b.md": "other\n"})
            git(checkout, "checkout", "-q", "main")
            commit(checkout, **{"b.md": "main\n"})
            git(checkout, "tag", "-f", "v1.2.3")
            with pytest.raises(AssertionError):  # which leaves the conflict
                git(checkout, "merge", "-q", "other")
    assert doubts(checkout) == ("the checkout has changes that are in no commit",)


def test_a_broken_index_is_no_clean_checkout(checkout: Path) -> None:
    (checkout / ".git/index").write_bytes(b"DIRC no index")
    assert doubts(checkout) == ("git does not say whether the checkout has changes",)


# A file that is in no commit is packed by a build like any other: these plant one, and none of them may pass.


def plainly(folder: Path) -> None:
    (folder / "src/pkg").mkdir(parents=True)
    (folder / "src/pkg/evil.py").write_text("evil\n")


def behind_its_own_ignore(folder: Path) -> None:
    plainly(folder)
    (folder / "src/pkg/.gitignore").write_text("*\n")


def behind_an_ignore_above(folder: Path) -> None:
    plainly(folder)
    (folder / "src/.gitignore").write_text("evil.py\n.gitignore\n")


def in_a_repository_of_its_own(folder: Path) -> None:
    plainly(folder)
    git(folder / "src/pkg", "init", "-q")


def where_git_shall_not_look(folder: Path) -> None:
    plainly(folder)
    git(folder, "config", "status.showUntrackedFiles", "no")


@pytest.mark.parametrize(
    "plant",
    [plainly, behind_its_own_ignore, behind_an_ignore_above, in_a_repository_of_its_own, where_git_shall_not_look],
)
def test_a_file_that_is_in_no_commit_is_a_doubt_and_is_named(checkout: Path, plant: Callable[[Path], None]) -> None:
    assert doubts(checkout) == ()
    plant(checkout)
    (found,) = doubts(checkout)
    assert found.startswith("the checkout has files that are in no commit: src/")


def test_what_the_project_ignores_and_what_the_command_itself_reads_and_writes_is_no_doubt(checkout: Path) -> None:
    commit(checkout, **{".gitignore": "build/\n.venv/\n__pycache__/\n"})
    git(checkout, "tag", "-f", "v1.2.3")
    for name in (
        "build/lib/a.py",
        ".venv/bin/python",
        "__pycache__/a.pyc",
        "dist/a.whl",
        "release/a.whl",
        "it.cdx.json",
    ):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    (checkout / ".venv/.gitignore").write_text("*\n")
    (checkout / "dist/.gitignore").write_text("*\n")  # as uv writes it
    own = (checkout / "dist", checkout / "release", checkout / "it.cdx.json")
    assert collect_build({}, checkout, "v1.2.3", "", NOW, own=own).doubts == ()
    assert len(doubts(checkout)) == 1
    (checkout / "pkg.py").touch()
    for folder in (checkout, checkout.parent):
        assert collect_build({}, checkout, "v1.2.3", "", NOW, own=(*own, folder)).doubts == (
            "the checkout has files that are in no commit: pkg.py",
        ), "a folder around the project hides nothing"


def test_what_the_users_own_rules_ignore_is_no_doubt(checkout: Path, tmp_path: Path) -> None:
    rules = tmp_path / "home" / ".gitignore"
    rules.parent.mkdir()
    rules.write_text("*.swp\n")
    git(checkout, "config", "core.excludesFile", str(rules))
    (checkout / ".a.swp").touch()
    assert doubts(checkout) == ()


def test_many_files_that_are_in_no_commit_are_named_in_short(checkout: Path) -> None:
    for number in range(5):
        (checkout / f"{number}.py").touch()
    assert doubts(checkout) == ("the checkout has files that are in no commit: 0.py, 1.py, 2.py and 2 more",)
