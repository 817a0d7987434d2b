"""Locks: what they select for this machine, and each way in which one can be wrong, refused by name."""

import sys
from pathlib import Path

import pytest

from sealwright.collect.locks.pylock import collect_pylock
from sealwright.collect.locks.requirements import collect_requirements
from sealwright.collect.locks.uv_lock import collect_uv_lock
from sealwright.errors import UsageError

A, B = "a" * 64, "b" * 64
HERE = f"python_version == '{sys.version_info.major}.{sys.version_info.minor}'"

PYLOCK = f"""
lock-version = "1.0"
created-by = "tests"
extras = ["more"]
dependency-groups = ["dev"]

[[packages]]
name = "here"
version = "1.0"
marker = "{HERE}"
dependencies = [{{name = "always"}}, {{name = "elsewhere"}}]
wheels = [{{name = "here-1.0-py3-none-any.whl", url = "https://x.org/here-1.0-py3-none-any.whl", hashes = {{sha256 = "{A}"}}}}]

[[packages]]
name = "always"
version = "2.0"
sdist = {{name = "always-2.0.tar.gz", url = "https://x.org/always-2.0.tar.gz", hashes = {{sha256 = "{B}"}}}}

[[packages]]
name = "elsewhere"
version = "1.0"
marker = "sys_platform == 'win32'"
sdist = {{name = "elsewhere-1.0.tar.gz", url = "https://x.org/elsewhere-1.0.tar.gz", hashes = {{sha256 = "{B}"}}}}

[[packages]]
name = "extra"
version = "1.0"
marker = "'more' in extras"
sdist = {{name = "extra-1.0.tar.gz", url = "https://x.org/extra-1.0.tar.gz", hashes = {{sha256 = "{B}"}}}}

[[packages]]
name = "grouped"
version = "1.0"
marker = "'dev' in dependency_groups"
vcs = {{type = "git", url = "https://u:secret@x.org/r.git", commit-id = "{"c" * 40}"}}
"""

UV = f"""
version = 1
revision = 2

[[package]]
name = "app"
version = "1.0"
source = {{ editable = "." }}
dependencies = [
    {{ name = "lib", extra = ["fast"], marker = "{HERE}" }},
    {{ name = "win", marker = "sys_platform == 'win32'" }},
]
[package.optional-dependencies]
more = [{{ name = "opt" }}]
[package.dev-dependencies]
dev = [{{ name = "tool" }}]

[[package]]
name = "lib"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}
sdist = {{ url = "https://x.org/lib-1.0.tar.gz", hash = "sha256:{B}", size = 1 }}
wheels = [{{ url = "https://x.org/lib-1.0-py3-none-any.whl", hash = "sha256:{A}", size = 1 }}]
[package.optional-dependencies]
fast = [{{ name = "speed" }}]
slow = [{{ name = "win" }}]

[[package]]
name = "speed"
version = "1.0"
source = {{ git = "https://u:secret@x.org/r.git?rev=1#{"c" * 40}" }}

[[package]]
name = "win"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}

[[package]]
name = "opt"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["{HERE}"]

[[package]]
name = "opt"
version = "2.0"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["sys_platform == 'win32'"]

[[package]]
name = "tool"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}
"""


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_pylock_selects(tmp_path: Path) -> None:
    path = put(tmp_path, "pylock.toml", PYLOCK)
    found = {entry.name: entry for entry in collect_pylock(path, (), ()).entries}
    assert set(found) == {"here", "always"}
    assert (found["here"].hashes, found["here"].requires) == ((A,), ("always",))
    assert found["always"].hashes == (B,), "no wheel, so the sdist"
    more = {entry.name: entry for entry in collect_pylock(path, ("more",), ("dev",)).entries}
    assert set(more) == {"here", "always", "extra", "grouped"}
    assert more["grouped"].purl == f"pkg:pypi/grouped?vcs_url=git%2Bhttps://x.org/r.git%40{'c' * 40}".replace(
        "?", "@1.0?"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml [", "is not TOML"),
        ("a=" + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        (b"\xff\xfe", "is not TOML"),
        ("", "is no pylock.toml"),
        (PYLOCK.replace('"1.0"', '"9.0"', 1), "is no pylock.toml"),
        ("lock-version = '1.0'\ncreated-by = 'x'\npackages = 1", "is no pylock.toml"),
        ("lock-version = '1.0'\ncreated-by = 'x'\npackages = [1]", "is no pylock.toml"),
        ("lock-version = '1.0'\ncreated-by = 'x'\n" + "[[packages]]\nname='a'\n" * 20_001, "more than"),
        (PYLOCK.replace('"always"\nversion', '"here"\nversion'), "is no pylock.toml"),
        (PYLOCK.replace('"elsewhere', '"always').replace(" == 'win32'", " != 'win32'"), "does not fit this machine"),
        (PYLOCK.replace("'win32'", "'win32' ((("), "is no pylock.toml"),
        (PYLOCK.replace('lock-version', 'requires-python = ">=9"\nlock-version'), "does not fit this machine"),
        (PYLOCK.replace('name = "here"', 'name = "../../x"'), "is no pylock.toml"),
    ],
)  # fmt: skip
def test_pylocks_that_are_none(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        collect_pylock(put(tmp_path, "pylock.toml", text), (), ())


def test_an_extra_the_lock_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no extra or group nope"):
        collect_pylock(put(tmp_path, "pylock.toml", PYLOCK), ("nope",), ())
    with pytest.raises(UsageError, match="app has no group nope"):
        collect_uv_lock(put(tmp_path, "uv.lock", UV), (), ("nope",))


def test_uv_lock(tmp_path: Path) -> None:
    lock = collect_uv_lock(put(tmp_path, "uv.lock", UV), ("more",), ("dev",))
    found = {entry.name: entry for entry in lock.entries}
    assert lock.project == "app"
    assert f"lib[fast] ; ({HERE})" in (found["app"].requires or ())
    assert 'opt ; extra == "more"' in (found["app"].requires or ())
    assert "tool" in (found["app"].requires or ())
    assert found["opt"].version == "1.0", "the fork for another platform is not this one"
    assert (found["lib"].hashes, found["lib"].chosen and found["lib"].chosen.name) == ((A,), "lib-1.0-py3-none-any.whl")
    assert found["speed"].purl == f"pkg:pypi/speed@1.0?vcs_url=git%2Bhttps://x.org/r.git%40{'c' * 40}"
    assert "secret" not in repr([entry.purl for entry in lock.entries])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1\n", "version = 2\n", "version that is not known"),
        ("version = 1\n", "version = true\n", "version that is not known"),
        ('editable = "."', 'registry = "x"', "the project itself is not in it"),
        ('name = "tool"\nversion', 'name = "lib"\nversion', "two versions of lib"),
        ('name = "tool"\nversion', 'name = "../x"\nversion', "no name of a package"),
        ('{ name = "tool" }', "7", "no list of tables"),
        ('{ name = "tool" }', '{ name = "a b; c" }', "cannot be read"),
        ("sys_platform == 'win32'\"]", "((('\"]", "cannot be evaluated"),
        ('version = "1.0"\nsource = { editable', 'version = 1.0\nsource = { editable', "a version that is none"),
        ('name = "lib"\nversion = "1.0"', 'name = "lib"\nversion = "one"', "a version that is none"),
        ('[package.dev-dependencies]\ndev = [{ name = "tool" }]', "dev-dependencies = 7", "has no group dev"),
        ('{ registry = "https://pypi.org/simple" }\nsdist', "7\nsdist", "source is no table"),
    ],
)  # fmt: skip
def test_uv_locks_that_are_none(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in UV
    with pytest.raises(UsageError, match=words):
        collect_uv_lock(put(tmp_path, "uv.lock", UV.replace(old, new)), (), ("dev",))


def test_requirements(tmp_path: Path) -> None:
    text = f"""
# a comment
Some.Name[x,y]==1.0 ; {HERE} \\
    --hash=sha256:{A} \\
    --hash=sha256:{B.upper()}
    # via something
other==2.0 --hash=sha256:{B}  # why
win==1.0 ; sys_platform == 'win32' --hash=sha256:{A}
"""
    found = collect_requirements(put(tmp_path, "requirements.txt", text)).entries
    assert [(e.name, e.version, e.hashes, e.extras) for e in found] == [
        ("some-name", "1.0", (A, B), ("x", "y")), ("other", "2.0", (B,), ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no package"),
        ("a==1", "a has no SHA-256"),
        (f"a==1 --hash=md5:{A}", "a has no SHA-256"),
        ("a==1 --hash=sha256:abc", "a has no SHA-256"),
        (f"a>=1 --hash=sha256:{A}", "not pinned"),
        (f"a==1.* --hash=sha256:{A}", "not pinned"),
        (f"a==1,<2 --hash=sha256:{A}", "not pinned"),
        (f"a @ https://x.org/a.whl --hash=sha256:{A}", "not pinned"),
        (f"a==1 --hash=sha256:{A}\na==2 --hash=sha256:{A}", "stands there twice"),
        (f"A_b==1 --hash=sha256:{A}\na.b==1 --hash=sha256:{A}", "stands there twice"),
        ("-r other.txt", "the option -r"),
        ("--index-url https://evil.example", "the option --index-url"),
        ("-e .", "the option -e"),
        (f"a==1 --config-settings=x --hash=sha256:{A}", "an option other than --hash"),
        ("\n\nnot a requirement ((", "line 3: not a requirement"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("a==1 \\", "a has no SHA-256"),
        ("\n" * 600_000, "more than"),
    ],
)
def test_requirements_that_are_refused(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        collect_requirements(put(tmp_path, "requirements.txt", text))


@pytest.mark.parametrize(
    "text",
    ["git+https://u:secret@a.invalid/x.git", "--index-url=https://u:secret@a.invalid/ \\\n  --no-index",
     "a==1 # of \\\n-i https://u:secret@a.invalid/"],
)  # fmt: skip
def test_a_refusal_says_no_password(tmp_path: Path, text: str) -> None:
    for end in ("\n", "\n\n# more\n"):
        with pytest.raises(UsageError, match="line 1") as refused:
            collect_requirements(put(tmp_path, "requirements.txt", text + end))
        assert "secret" not in str(refused.value)
    with pytest.raises(UsageError, match=r"the option --index-url=https://a\.invalid/ would"):
        collect_requirements(put(tmp_path, "requirements.txt", "--index-url=https://u:secret@a.invalid/"))


@pytest.mark.parametrize("name", ["pylock.toml", "uv.lock", "requirements.txt"])
def test_a_lock_of_a_hundred_megabytes_is_not_read(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, name, "")
    with path.open("r+b") as stream:
        stream.truncate(100 * 1024**2)
    read = {"pylock.toml": lambda: collect_pylock(path, (), ()), "uv.lock": lambda: collect_uv_lock(path, (), ())}
    with pytest.raises(UsageError, match="larger than"):
        read.get(name, lambda: collect_requirements(path))()
