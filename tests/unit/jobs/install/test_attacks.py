"""Attacks on the install: by the folder one stands in, by links, by what a wheel holds, by what it requires."""

import os
import sys
from pathlib import Path

import pytest
from support.installing import AFTERWARDS, Environment, SystemPython, install
from support.packages import loopback_index, sha256, wheel

from sealwright.errors import TamperedError, UndecidedError, UsageError
from sealwright.jobs.install.options import parse_pip_options

NAME, MODULE, VERSION = "some-tool", "some_tool", "1.0"
INFO, DATA = "some_tool-1.0.dist-info", "some_tool-1.0.data"
# Adds a line to whatever pip was told to read, at the moment when it opens it: by its name, and by its descriptor.
ADD = """
import os, sys
def watch(event, arguments):
    if event == "open" and arguments[0] in named and arguments[1] == "r":
        for how in (os.O_APPEND, os.O_TRUNC):
            try:
                with open(os.open(arguments[0], os.O_WRONLY | how), "a") as out: out.write({line!r})
                open({log!r}, "a").write("changed ")
            except OSError as error:
                open({log!r}, "a").write("refused ")
if "install" in sys.argv:
    named = sys.argv[sys.argv.index("--requirement") + 1:][:1]
    sys.addaudithook(watch)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env")


@pytest.mark.parametrize("planted", ["some-python", "some-python/bin/python"])
def test_a_python_in_the_folder_one_stands_in(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """An unpacked sdist may hold whatever it likes under the name of a Python: a bare name is one on the PATH."""
    program = tmp_path / "sdist" / planted
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path / "sdist")
    words = ("--python", "some-python")
    with pytest.raises(UsageError, match="there is no Python"):
        parse_pip_options(words, {"PATH": os.environ["PATH"]}, "own")
    with pytest.raises(UsageError, match="there is no Python"):
        parse_pip_options(words, {"PATH": ""}, "own")
    own = tmp_path / "bin" / "some-python"
    own.parent.mkdir()
    own.symlink_to(environment.python)
    assert parse_pip_options(words, {"PATH": str(own.parent)}, "own").python == str(own)
    assert parse_pip_options(("--python", f"./{planted}"), {}, "own").python == str(program)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    wheel(folder, NAME, VERSION, more={"some_package/__init__.py": b"GOOD = True\n"})
    return folder


def test_a_requirement_more(good: Path, environment: Environment, tmp_path: Path) -> None:
    """What pip is told to install can not be changed by another process of the user's."""
    other = wheel(tmp_path / "other", "other-tool", "1.0")
    log = tmp_path / "log"
    environment.race(ADD.format(line=f"{other} --hash=sha256:{sha256(other)}\n", log=str(log)))
    install(good, environment)
    assert log.read_text().split() == ["refused", "refused"]
    assert environment.holds() == {"some_tool.py", "some_package", INFO}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Somebody's working copy, which is linked into where a wheel is installed."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("__init__.py", "more.py"):
        (folder / name).write_text("mine")
    return folder


def is_whole(sources: Path) -> bool:
    return {path.name: path.read_text() for path in sources.iterdir()} == {"__init__.py": "mine", "more.py": "mine"}


@pytest.mark.parametrize("words", [[], ["--target"], ["--target", "--upgrade"], ["--prefix"]])
def test_a_folder_that_is_a_link(
    good: Path, environment: Environment, sources: Path, tmp_path: Path, words: list[str]
) -> None:
    """Neither is anything written behind it, nor removed because it is not what the wheel holds."""
    places = {
        "--target": tmp_path / "place",
        "--prefix": tmp_path / "place" / environment.site.relative_to(environment.folder),
    }
    site = places[words[0]] if words else environment.site
    site.mkdir(parents=True, exist_ok=True)
    (site / "some_package").symlink_to(sources)
    options = [words[0], str(tmp_path / "place"), *words[1:]] if words else []
    with pytest.raises(UsageError, match=r"is a link|holds some_package already"):
        install(good, environment, *options)
    assert is_whole(sources)
    assert not environment.holds() - {"some_package"}


@pytest.mark.parametrize("same", [True, False])
def test_a_folder_that_becomes_a_link(
    good: Path, environment: Environment, sources: Path, tmp_path: Path, same: bool
) -> None:
    """Also one to the same bytes: they could be others' to change."""
    code = "    os.rename(site + '/some_package', site + '/gone')\n"
    code += f"    os.symlink({str(sources)!r}, site + '/some_package')\n"
    if same:
        (sources / "__init__.py").write_text("GOOD = True\n")
    environment.race(AFTERWARDS.format(site=str(environment.site), code=code))
    with pytest.raises(TamperedError, match="some_package is a link"):
        install(good, environment)
    assert same or is_whole(sources)
    assert (sources / "__init__.py").exists()
    assert "some_package" not in environment.holds()
    assert not (environment.site / "some_tool.py").exists()


CACHED = f"__pycache__/some_tool.{sys.implementation.cache_tag}.pyc"
POINTS = {"{info}/entry_points.txt": b"[console_scripts]\nsome-tool = some_tool:main\n"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({f"{DATA}/purelib/some_tool.py": b"another"}, "two files for"),
        ({f"{DATA}/scripts/x": b"one", f"{DATA}/data/bin/x": b"another"}, "two files for"),
        ({**POINTS, f"{DATA}/data/bin/some-tool": b"another"}, "two files for"),
        ({f"{DATA}/scripts/python": b"#!/bin/sh\n"}, "would replace .*/bin/python"),
        ({f"{DATA}/data/bin/python3.11": b"#!/bin/sh\n"}, "would replace .*/bin/python3.11"),
        ({f"{DATA}/data/pyvenv.cfg": b"home = /evil\n"}, "would replace .*/pyvenv.cfg"),
        ({f"{DATA}/scripts/pyvenv.cfg": b"home = /evil\n"}, "would replace .*/bin/pyvenv.cfg"),
        ({"pip/__main__.py": b"evil"}, "would replace .*/pip/__main__.py"),
        ({"pip/_vendor/more.py": b"evil"}, "would replace .*/pip/_vendor/more.py"),
        ({"pip.py": b"evil"}, "would replace .*/pip.py"),
        ({f"{DATA}/platlib/PIP.cpython-311-x86_64-linux-gnu.so": b"evil"}, "would replace .*/PIP"),
    ],
)  # fmt: skip
def test_a_wheel_that_would_be_in_its_own_way(
    environment: Environment, tmp_path: Path, more: dict[str, bytes], words: str
) -> None:
    wheel(tmp_path / "dist", NAME, VERSION, more=more)
    with pytest.raises(TamperedError, match=words):
        install(tmp_path / "dist", environment)
    assert not environment.holds()


@pytest.mark.parametrize(
    ("member", "content"),
    [
        (CACHED, b"compiled by the project"),
        (f"{DATA}/purelib/a.data/scripts/b", b"#!python\n"),
        ("bin/python", b"data"),
    ],
)
def test_an_unusual_wheel_is_not_called_tampered_with(
    environment: Environment, tmp_path: Path, member: str, content: bytes
) -> None:
    wheel(tmp_path / "dist", NAME, VERSION, more={member: content})
    install(tmp_path / "dist", environment)
    assert (environment.site / member.removeprefix(f"{DATA}/purelib/")).read_bytes() == content


@pytest.mark.parametrize(
    "name", ["some.pth", "some.start", "sitecustomize.py", f"{DATA}/purelib/usercustomize/__init__.py"]
)
def test_nothing_of_the_wheel_is_run(environment: Environment, tmp_path: Path, name: str) -> None:
    """Not even what every start of Python runs: pip is not started there any more, and the answer names it."""
    mark = tmp_path / "ran"
    code = f"import os; open({str(mark)!r}, 'a').write('x')\n".encode()
    wheel(tmp_path / "dist", NAME, VERSION, more={name: code}, requires=["needed-tool"])
    done = install(tmp_path / "dist", environment)
    assert done.starts == (name.removeprefix(f"{DATA}/purelib/").partition("/")[0],)
    assert not mark.exists()
    again = Environment(tmp_path / "again")
    with pytest.raises(UsageError, match="would run while pip installs"):
        install(tmp_path / "dist", again, with_dependencies=True)
    assert not again.holds()


# What pip imports where it is there, or Python itself, and what a .pth of setuptools' imports.
IMPORTED = ["attr.py", "socks/__init__.py", "_manylinux.py", "msvcrt.py", "_distutils_hack/__init__.py"]
HOOK = "import os; os.environ.get('NOTHING') or __import__('_distutils_hack')\n"


@pytest.mark.parametrize("name", IMPORTED)
def test_nothing_of_the_wheel_is_run_by_pip_either(environment: Environment, tmp_path: Path, name: str) -> None:
    """Neither while pip looks what is missing, nor while it installs what the wheel requires."""
    (environment.site / "pip-hook.pth").write_text(HOOK)
    mark = tmp_path / "ran"
    wheel(
        tmp_path / "dist",
        NAME,
        VERSION,
        more={name: f"open({str(mark)!r}, 'a')\nraise ImportError\n".encode(), "json/__init__.py": b"raise OSError"},
        requires=["needed-tool"],
    )
    done = install(tmp_path / "dist", environment)
    assert done.missing == ("some-tool 1.0 requires needed-tool, which is not installed.",)
    assert not mark.exists()
    needed = wheel(tmp_path / "needed", "needed-tool", "1.0")
    again = Environment(tmp_path / "again")
    (again.site / "pip-hook.pth").write_text(HOOK)
    with loopback_index(needed) as index:
        done = install(tmp_path / "dist", again, with_dependencies=True, environ={"PIP_INDEX_URL": index.url})
    assert "needed_tool.py" in again.holds()
    assert (done.unverified, done.missing) == (("needed-tool==1.0",), ())
    assert not mark.exists()


@pytest.mark.parametrize("name", ["sitecustomize.py", "encodings/more.py", "../python{}.zip"])
def test_a_file_among_those_of_python_itself(tmp_path: Path, name: str) -> None:
    """Outside of a virtual environment, `data` leads there, too."""
    system = SystemPython(tmp_path / "system")
    member = os.path.normpath(f"{system.site.parent.relative_to(system.folder)}/{name}")
    member = member.format("".join(str(part) for part in sys.version_info[:2]))
    wheel(tmp_path / "dist", NAME, VERSION, more={f"{DATA}/data/{member}": b"evil"}, requires=["needed-tool"])
    asked = "import sys, sysconfig; print(sysconfig.get_path('data')); print(*sys.path, sep='\\n')"
    data, *seen = system.run(asked).stdout.splitlines()
    if data != str(
        system.folder
    ):  # Debian's, from 3.13 on, has its own library in another place than what pip installs
        install(tmp_path / "dist", system, "--break-system-packages")
        there = Path(data) / member
        assert there.exists()
        assert not {str(there), *map(str, there.parents)} & set(seen)
        return
    with pytest.raises((TamperedError, UsageError), match=r"would replace|a link leads"):
        install(tmp_path / "dist", system, "--break-system-packages")
    assert not system.holds()


def test_what_is_called_elsewhere_and_is_on_the_path(tmp_path: Path) -> None:
    """A virtual environment may see the packages of the Python that it was made of."""
    system = SystemPython(tmp_path / "system")
    (system.site.parent / "EXTERNALLY-MANAGED").unlink()
    inner = Environment(tmp_path / "inner")
    Path(inner.python).unlink()
    Path(inner.python).symlink_to(system.python)
    settings = f"home = {system.folder}/bin\ninclude-system-site-packages = true\n"
    (inner.folder / "pyvenv.cfg").write_text(settings)
    wheel(tmp_path / "dist", NAME, VERSION, more={"some.pth": b"import os"}, requires=["needed-tool"])
    with pytest.raises(UsageError, match="would run while pip installs"):
        install(tmp_path / "dist", inner, "--prefix", str(system.folder), with_dependencies=True)
    assert not system.holds()


def test_a_link_beside_the_library_gives_no_file_a_second_name(environment: Environment, tmp_path: Path) -> None:
    """As the lib64 of every virtual environment on Linux does."""
    link = environment.folder / "lib64"
    if not link.is_symlink():
        link.symlink_to("lib")
    below = environment.site.relative_to(environment.folder / "lib")
    wheel(tmp_path / "dist", NAME, VERSION, more={f"{DATA}/data/lib64/{below}/pip/__main__.py": b"evil"})
    with pytest.raises(UsageError, match=r"a link leads .*lib64"):
        install(tmp_path / "dist", environment)
    assert not environment.holds()


def test_a_link_to_where_no_module_lies_is_followed(environment: Environment, tmp_path: Path) -> None:
    """As Debian's /usr/local/man does; one that leads out of the environment is not."""
    (environment.folder / "share" / "man").mkdir(parents=True)
    (environment.folder / "man").symlink_to("share/man")
    wheel(tmp_path / "dist", NAME, VERSION, more={f"{DATA}/data/man/man1/some-tool.1": b"manual"})
    install(tmp_path / "dist", environment)
    assert (environment.folder / "share/man/man1/some-tool.1").read_bytes() == b"manual"
    again = Environment(tmp_path / "again")
    (again.folder / "man").symlink_to(environment.folder / "share" / "man")
    with pytest.raises(UsageError, match=r"a link leads .*man"):
        install(tmp_path / "dist", again)
    assert not again.holds()


@pytest.mark.parametrize("where", ["--prefix", "--target"])
def test_what_is_called_elsewhere_and_is_not(environment: Environment, tmp_path: Path, where: str) -> None:
    """A .pth in that Python's own folder runs while pip installs the dependencies, however the folder was named."""
    wheel(tmp_path / "dist", NAME, VERSION, more={"some.pth": b"import os"}, requires=["needed-tool"])
    own = environment.folder if where == "--prefix" else environment.site
    with pytest.raises(UsageError, match="would run while pip installs"):
        install(
            tmp_path / "dist",
            environment,
            where,
            str(own),
            *(["--upgrade"] * (where == "--target")),
            with_dependencies=True,
        )
    assert not environment.holds()


@pytest.mark.parametrize("where", ["--prefix", "--root", "--target"])
def test_what_is_installed_elsewhere_takes_nothing_away_here(
    good: Path, environment: Environment, tmp_path: Path, where: str
) -> None:
    wheel(tmp_path / "old", NAME, "0.9", more={"some_old.py": b""})
    install(tmp_path / "old", environment)
    before = environment.holds()
    install(good, environment, where, str(tmp_path / "elsewhere"))
    assert environment.holds() == before


def test_another_version_in_the_same_place_is_named(good: Path, environment: Environment, tmp_path: Path) -> None:
    """pip looks for what it replaces in its own environment alone: elsewhere, a mixture of both would be imported."""
    wheel(tmp_path / "old", NAME, "0.9", more={"some_old.py": b""})
    for words in (["--prefix", str(tmp_path / "prefix")], ["--target", str(tmp_path / "target"), "--upgrade"]):
        assert install(tmp_path / "old", environment, *words).beside == ()
        done = install(good, environment, *words)
        assert done.beside == ("some_tool-0.9.dist-info",)
    for words in ([], ["--prefix", str(environment.folder)]):  # where pip does replace it
        install(tmp_path / "old", environment, *words)
        assert install(good, environment, *words).beside == ()
        assert not (environment.site / "some_old.py").exists()


@pytest.mark.parametrize("words", [[], ["--upgrade"], ["--force-reinstall"]])
def test_a_dependency_that_needs_another_version_of_the_project(
    environment: Environment, tmp_path: Path, words: list[str]
) -> None:
    """The verified one stays, and the index's own is not taken in its place."""
    wheel(tmp_path / "dist", NAME, VERSION, requires=["needed-tool>=1"])
    needed = wheel(tmp_path / "index", "needed-tool", "1.5", requires=["some-tool>=2"])
    other = wheel(tmp_path / "index", NAME, "2.0", more={"evil.py": b""})
    with loopback_index(needed, other) as index, pytest.raises(UndecidedError, match="is installed as it was verified"):
        install(tmp_path / "dist", environment, *words, environ={"PIP_INDEX_URL": index.url}, with_dependencies=True)
    assert environment.holds() == {"some_tool.py", INFO}


def test_a_dependency_that_has_a_file_in_the_same_place(environment: Environment, tmp_path: Path) -> None:
    wheel(tmp_path / "dist", NAME, VERSION, requires=["needed-tool>=1"])
    needed = wheel(tmp_path / "index", "needed-tool", "1.5", more={"some_tool.py": b"evil"})
    with loopback_index(needed) as index, pytest.raises(TamperedError, match="is not what the verified") as raised:
        install(tmp_path / "dist", environment, environ={"PIP_INDEX_URL": index.url}, with_dependencies=True)
    assert "Something that it requires" in raised.value.hint
    assert "some_tool.py" not in environment.holds()
