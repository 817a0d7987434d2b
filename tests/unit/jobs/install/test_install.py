"""What is installed is what was verified: races at each of pip's opens, hostile settings, kills, and the good case."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.installing import AFTERWARDS, Environment, SystemPython, install
from support.packages import loopback_index, sha256, wheel

from sealwright.errors import SealwrightError, TamperedError, UndecidedError, UsageError
from sealwright.jobs.install.dependencies import lines_of_lock, lines_of_requirements
from sealwright.jobs.install.install import PREFIX, InstallRequest, install_release
from sealwright.jobs.install.options import parse_pip_options
from sealwright.model.artifact import parse_artifact_name
from sealwright.store.release_folder import private_copy

NAME, MODULE, VERSION = "some-tool", "some_tool", "1.0"
WHEEL = f"{MODULE}-{VERSION}-py3-none-any.whl"
POINTS = b"[console_scripts]\nsome-tool = some_tool:main\n"
GOOD = {
    "{info}/entry_points.txt": POINTS,
    "some_package/__init__.py": b"GOOD = True\n",
    "some_tool-1.0.data/scripts/helper": b"#!python\nprint('good')\n",
    "some_tool-1.0.data/scripts/plain": b"#!/bin/sh\necho good\n",
    "some_tool-1.0.data/data/share/some.txt": b"good\n",
    "some_tool-1.0.data/headers/some.h": b"/* good */\n",
    "some_tool-1.0.data/purelib/some_more.py": b"GOOD = True\n",
}
EVIL = {**GOOD, "some_package/__init__.py": b"EVIL = True\n", "evil.pth": b"import evil\n", "evil.py": b"EVIL = True\n"}
# Exchanges the wheel when pip opens it for the Nth time, in its place or by another file.
SWAP = """
import os, shutil, sys
seen = [0]
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith({wheel!r}):
        seen[0] += 1
        with open({count!r}, "a") as log: log.write(".")
        if seen[0] == {number}:
            shutil.copyfile({evil!r}, arguments[0] + ".new")
            if {whole}:
                os.replace(arguments[0] + ".new", arguments[0])
            else:
                content = open(arguments[0] + ".new", "rb").read()
                with open(os.open(arguments[0], os.O_WRONLY | os.O_TRUNC), "wb") as out: out.write(content)
sys.addaudithook(watch)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    wheel(folder, NAME, VERSION, more=GOOD)
    return folder


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("evil"), NAME, VERSION, more=EVIL)


def is_clean(environment: Environment) -> bool:
    left = environment.holds() - {"pip_racer.py", "pip_racer.pth"}
    return not left and not (environment.folder / "bin" / "some-tool").exists()


def test_everything_a_wheel_can_hold_is_installed_and_compared(good: Path, environment: Environment) -> None:
    done = install(good, environment)
    assert done.files == len(GOOD) + 6
    assert done.where == str(environment.site)
    tools = [environment.folder / "bin" / name for name in ("some-tool", "helper", "plain")]
    assert os.access(tools[0], os.X_OK)
    assert tools[1].read_text() == f"#!{environment.python}\nprint('good')\n"
    assert not list(environment.site.rglob("some_*/**/*.pyc")), "nothing compiled that nobody compared"
    assert environment.run("import some_package; assert some_package.GOOD").returncode == 0
    assert install(good, environment).files == done.files, "again, over itself"


def test_other_places(good: Path, environment: Environment, tmp_path: Path) -> None:
    target, prefix, root = tmp_path / "target", tmp_path / "prefix", tmp_path / "root"
    assert install(good, environment, "--target", str(target)).where == str(target)
    assert (target / "bin" / "helper").exists()
    assert (target / "some_more.py").exists()
    with pytest.raises(UsageError, match="holds"):
        install(good, environment, "--target", str(target))
    install(good, environment, "--target", str(target), "--upgrade")
    install(good, environment, "--prefix", str(prefix))
    assert (prefix / "bin" / "some-tool").exists()
    done = install(good, environment, "--root", str(root))
    assert done.where.startswith(str(root))
    assert install(good, environment, "--dry-run").is_dry
    assert is_clean(environment)


def test_a_python_that_its_distribution_manages(good: Path, tmp_path: Path) -> None:
    """It is changed on demand alone; and --user is for this user alone, whose home is another here."""
    system, home = SystemPython(tmp_path / "system"), tmp_path / "home"
    for words in ((), ("--user",)):
        with pytest.raises(UndecidedError, match="externally-managed"):
            install(good, system, *words, environ={"HOME": str(home)})
    before = {path for path in system.folder.rglob("*") if "__pycache__" not in path.parts}
    done = install(good, system, "--user", "--break-system-packages", environ={"HOME": str(home)})
    assert {path for path in system.folder.rglob("*") if "__pycache__" not in path.parts} == before
    assert done.where.startswith(f"{home}/")
    assert done.files == len(GOOD) + 6
    assert [path.name for path in home.rglob("bin/*")].count("some-tool") == 1
    ask = [system.python, "-c", "import some_package; print(some_package.__file__)"]
    for where, found in ((home, True), (tmp_path, False)):
        ran = subprocess.run(ask, env={"HOME": str(where)}, capture_output=True, text=True, check=False)
        assert ran.stdout.startswith(str(home)) == found, ran.stderr
    done = install(good, system, "--break-system-packages", environ={"HOME": str(tmp_path)})
    assert done.where.startswith(f"{system.folder}/")
    assert list(system.folder.rglob("bin/some-tool"))


def test_a_virtual_environment_is_for_no_user(good: Path, environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(UndecidedError, match="not visible in this virtualenv"):
        install(good, environment, "--user", environ={"HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()
    assert is_clean(environment)


def test_an_older_version_is_replaced(good: Path, environment: Environment, tmp_path: Path) -> None:
    wheel(tmp_path / "old", NAME, "0.9", more={"some_old.py": b""})
    install(tmp_path / "old", environment)
    install(good, environment)
    assert not (environment.site / "some_old.py").exists()
    assert [path.name for path in environment.site.glob("some*.dist-info")] == ["some_tool-1.0.dist-info"]


def test_a_pip_that_fails_takes_nothing_away(good: Path, environment: Environment, tmp_path: Path) -> None:
    wheel(tmp_path / "old", NAME, "0.9")
    install(tmp_path / "old", environment)
    before = environment.holds()
    environment.race("import sys\nif 'install' in sys.argv: raise SystemExit(1)\n")
    with pytest.raises(UndecidedError):
        install(good, environment)
    assert environment.holds() == before


def racing(environment: Environment, evil: Path, number: int, *, whole: bool) -> None:
    count = environment.folder / "count"
    count.unlink(missing_ok=True)
    environment.race(SWAP.format(wheel=WHEEL, count=str(count), number=number, evil=str(evil), whole=whole))


def test_the_race_is_real(good: Path, evil: Path, environment: Environment, tmp_path: Path) -> None:
    """pip alone, with --require-hashes, installs what was exchanged between its opens."""
    file = tmp_path / "requirements.txt"
    file.write_text(f"{NAME}=={VERSION} --hash=sha256:{sha256(good / WHEEL)}\n")
    fooled = []
    for number in range(1, 8):
        folder = shutil.copytree(good, tmp_path / str(number))
        racing(environment, evil, number, whole=True)
        command = [environment.python, "-I", "-B", "-m", "pip", "--isolated", "install", "--no-index", "--no-deps"]
        command += ["--require-hashes", "--force-reinstall", "--find-links", str(folder), "-r", str(file)]
        subprocess.run(command, check=False, capture_output=True)
        if (environment.site / "evil.py").exists():
            fooled.append(number)
            break
    assert fooled


def test_a_wheel_exchanged_at_each_of_pips_opens(good: Path, evil: Path, environment: Environment) -> None:
    refused = 0
    for number in range(1, 20):
        racing(environment, evil, number, whole=number % 3 > 0)
        try:
            install(good, environment)
        except SealwrightError as error:
            refused += isinstance(error, TamperedError)
            assert is_clean(environment), (number, environment.holds())
        else:
            assert not (environment.site / "evil.py").exists(), number
            assert (environment.site / "some_package" / "__init__.py").read_bytes() == b"GOOD = True\n"
        if len((environment.folder / "count").read_text()) < number:
            break
    else:
        pytest.fail("pip opens it more often than that")
    assert refused >= 1


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("    open(site + '/evil.pth', 'w').write('import evil')", "evil.pth"),
        ("    open(site + '/some_package/evil.so', 'w').write('x')", "evil.so"),
        ("    open(site + '/../../../bin/some-tool', 'a').write('import evil')", "some-tool"),
        ("    open(site + '/some_tool.py', 'a').write('import evil')", "some_tool.py"),
        ("    os.rename(site + '/some_more.py', site + '/x.py'); os.symlink('x.py', site + '/some_more.py')", "some_more"),
        ("    open(site + '/some_tool-1.0.dist-info/RECORD', 'a').write('../../../../precious,,\\n')", "precious"),
    ],
)  # fmt: skip
def test_what_another_process_changes_is_found_and_removed(
    good: Path, environment: Environment, tmp_path: Path, code: str, found: str
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("a file of the user's")
    environment.race(AFTERWARDS.format(site=str(environment.site), code=code))
    with pytest.raises(TamperedError, match=found):
        install(good, environment)
    assert precious.exists(), "a RECORD that was changed must not have the user's files removed"
    assert not (environment.site / "some_tool.py").exists()
    assert not (environment.site / "some_package/__init__.py").exists()
    assert not list(environment.site.glob("some*.dist-info"))


def test_planted_bytecode_is_not_run(good: Path, environment: Environment) -> None:
    code = "    os.makedirs(site + '/__pycache__', exist_ok=True)\n"
    code += f"    open(site + '/__pycache__/some_tool.{sys.implementation.cache_tag}.pyc', 'wb').write(b'evil')"
    environment.race(AFTERWARDS.format(site=str(environment.site), code=code))
    install(good, environment)
    assert not list(environment.site.glob("__pycache__/some_tool*"))


def test_settings_bring_nothing_in(
    good: Path, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = wheel(tmp_path / "other", "other-tool", "1.0")
    requirements = tmp_path / "evil.txt"
    requirements.write_text(f"{other} --hash=sha256:{sha256(other)}\n")
    settings = f"[global]\nfind-links = {other.parent}\n[install]\nrequirement = {requirements}\ntarget = {tmp_path / 'elsewhere'}\n"
    home = tmp_path / "home"
    places = [
        environment.folder / "pip.conf",
        home / ".pip" / "pip.conf",
        home / ".config" / "pip" / "pip.conf",
        tmp_path / "cwd" / "pip.conf",
    ]
    for path in [*places, tmp_path / "named.conf"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings)
    (tmp_path / "cwd" / "pip").mkdir()
    for folder in ("cwd/pip", "path/pip"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit(99)")
    (tmp_path / "path" / "sitecustomize.py").write_text("raise SystemExit(98)")
    monkeypatch.chdir(tmp_path / "cwd")
    environ = {
        "PIP_REQUIREMENT": str(requirements), "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": str(other.parent),
        "PIP_CONFIG_FILE": str(tmp_path / "named.conf"), "PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_NO_DEPS": "0",
        "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "PYTHONPATH": str(tmp_path / "path"),
        "PYTHONSTARTUP": str(requirements), "PYTHONHOME": str(tmp_path), "PIP_PYTHON": "/nowhere",
    }  # fmt: skip
    done = install(good, environment, environ=environ)
    assert done.where == str(environment.site)
    assert not any("other" in name for name in environment.holds())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "words",
    ["-r evil.txt", "--requirement evil.txt", "-revil.txt", "--index-url http://x", "--index-url=http://x", "-i http://x", "--pre",
     "--extra-index-url http://x", "-e .", "--find-links .", "-f .", "evil", "evil==1.0", "./evil.whl", "--target=. --pre", "--target=.",
     "--targ .", "-t", "--target", "--target --pre", "--target -r", "-Ur evil.txt", "--no-index", "--config-settings a=b", "--", "-",
     "--target . --target x", "--user --target .", "--root x --target .", "--user --prefix x", "--proxy x", "--cert x", "-c evil.txt",
     "--python /nowhere", "--no-require-hashes", "--upgrade=1", "--no-binary :all:", "--report x", "--log x", "--src x", ""],
)  # fmt: skip
def test_no_other_option_reaches_pip(words: str) -> None:
    with pytest.raises(UsageError):
        parse_pip_options(tuple(words.split(" ")), {}, sys.executable)


def test_which_python(environment: Environment) -> None:
    active = {"VIRTUAL_ENV": str(environment.folder)}
    assert parse_pip_options((), {}, "own").python == "own"
    assert parse_pip_options((), active, "own").python == environment.python
    assert parse_pip_options(("--python", str(environment.folder)), {}, "own").python == environment.python
    with pytest.raises(UsageError, match="VIRTUAL_ENV"):
        parse_pip_options((), {"VIRTUAL_ENV": "/nowhere"}, "own")


def test_an_sdist_is_not_installed(environment: Environment, tmp_path: Path) -> None:
    from sealwright.sandbox.project import build_sdist

    build_sdist(tmp_path, NAME, VERSION)
    with pytest.raises(UsageError, match="no wheel"):
        install(tmp_path, environment)


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil.py", "some//evil.py", "./evil.py", "some_tool-1.0.data/elsewhere/evil.py", "x.data", "x.data/scripts",
             "some_tool-1.0.data/data/../../evil.py", "a\\evil.py"],
)  # fmt: skip
def test_a_wheel_that_leads_elsewhere(environment: Environment, tmp_path: Path, name: str) -> None:
    wheel(tmp_path / "dist", NAME, VERSION, more={name: b"x"})
    with pytest.raises(TamperedError, match=r"path that leads elsewhere|no place"):
        install(tmp_path / "dist", environment)
    assert is_clean(environment)


@pytest.mark.parametrize(
    "points", [b"[console_scripts]\n../evil = a:b\n", b"[console_scripts]\na\n", b"[console_scripts]\na=b:c\na=b:c\n"]
)
def test_entry_points_that_lead_elsewhere(environment: Environment, tmp_path: Path, points: bytes) -> None:
    wheel(tmp_path / "dist", NAME, VERSION, more={"{info}/entry_points.txt": points})
    with pytest.raises(TamperedError):
        install(tmp_path / "dist", environment)
    assert is_clean(environment)


def test_a_private_copy_that_was_exchanged(good: Path, evil: Path, environment: Environment) -> None:
    options = parse_pip_options(("--python", environment.python), {}, "")
    with private_copy(good) as release:
        shutil.copyfile(evil, release.files[0].path)
        with pytest.raises(TamperedError, match="exchanged"):
            install_release(release.files, InstallRequest(options, dict(os.environ)))
    assert is_clean(environment)


def test_the_best_wheel_is_chosen(environment: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    wheel(folder, NAME, VERSION)
    for tag in ("cp311-cp311-win32", "py2-none-any", f"py{sys.version_info[0]}{sys.version_info[1]}-none-any"):
        shutil.copy(folder / WHEEL, folder / f"{MODULE}-{VERSION}-{tag}.whl")
    done = install(folder, environment)
    assert done.wheel == f"{MODULE}-{VERSION}-py{sys.version_info[0]}{sys.version_info[1]}-none-any.whl"


def test_a_python_without_pip(good: Path, environment: Environment) -> None:
    (environment.site / "pip").unlink()
    with pytest.raises(UsageError, match="no pip"):
        install(good, environment)


DIE = """
import os, sys
def watch(event, arguments):
    if event == "open" and "install" in sys.argv and {name!r} in str(arguments[0]) and arguments[1] in ("wb", "w", None):
        {code}
        os.kill(os.getpid(), 9)
sys.addaudithook(watch)
"""


@pytest.mark.parametrize("name", ["some_tool.py", "INSTALLER"])
def test_a_pip_that_is_killed_leaves_nothing(good: Path, environment: Environment, name: str) -> None:
    environment.race(DIE.format(name=name, code=""))
    with pytest.raises(UndecidedError):
        install(good, environment)
    assert is_clean(environment)
    (environment.site / "pip_racer.pth").unlink()
    install(good, environment)


@pytest.mark.parametrize("name", ["METADATA", "REQUESTED"])
def test_a_kill_of_everything_is_repaired_by_the_next_run(
    good: Path, environment: Environment, tmp_path: Path, name: str
) -> None:
    """Both pip and Sealwright die at once; what they leave behind is no obstacle, and the private folder is wiped."""
    private = tmp_path / "private"
    private.mkdir()
    environment.race(DIE.format(name=name, code="os.kill(os.getppid(), 9)"))
    code = """if True:
        import os, sys
        from pathlib import Path
        from sealwright.jobs.install.install import InstallRequest, install_release
        from sealwright.jobs.install.options import parse_pip_options
        from sealwright.store.release_folder import private_copy
        with private_copy(Path(sys.argv[1])) as release:
            options = parse_pip_options(("--python", sys.argv[2]), {}, "")
            install_release(release.files, InstallRequest(options, os.environ))
    """
    environ = os.environ | {"TMPDIR": str(private)}
    died = subprocess.run([sys.executable, "-c", code, str(good), environment.python], env=environ, check=False)
    assert died.returncode == -9
    left = list(private.glob(PREFIX + "*"))
    assert left
    os.utime(left[0], (0, 0))
    (environment.site / "pip_racer.pth").unlink()
    again = subprocess.run([sys.executable, "-c", code, str(good), environment.python], env=environ, check=False)
    assert again.returncode == 0
    assert not list(private.glob(PREFIX + "*"))
    assert (environment.site / "some_tool-1.0.dist-info" / "RECORD").exists()


def test_dependencies(environment: Environment, tmp_path: Path) -> None:
    """Missing ones are named; a lock brings them by digest; --with-dependencies as pip resolves them."""
    folder = tmp_path / "dist"
    wheel(folder, NAME, VERSION, requires=["needed-tool>=1", "never ; extra == 'more'"])
    needed = wheel(tmp_path / "index", "needed-tool", "1.5", requires=["deeper_tool"])
    deeper = wheel(tmp_path / "index", "deeper-tool", "0.1")
    assert install(folder, environment).missing == (f"{NAME} 1.0 requires needed-tool, which is not installed.",)
    with loopback_index(needed, deeper) as index:
        environ = {"PIP_INDEX_URL": index.url}
        lock = tmp_path / "lock.txt"
        lock.write_text(f"needed-tool==1.5 --hash=sha256:{'0' * 64}\n")
        with pytest.raises(TamperedError):
            install(folder, environment, environ=environ, lock=lock)
        assert not (environment.site / "needed_tool.py").exists()
        lock.write_text(f"{NAME}==1.0 --hash=sha256:{'0' * 64}\nneeded-tool==1.5 --hash=sha256:{sha256(needed)}\n")
        done = install(folder, environment, environ=environ, lock=lock)
        assert (done.locked, done.missing) == (1, ())
        other = Environment(tmp_path / "other")
        done = install(folder, other, environ=environ, with_dependencies=True)
        assert done.unverified == ("deeper-tool==0.1", "needed-tool==1.5"), "what was installed, and all of it"
        assert done.missing == ()
        assert install(folder, other, environ=environ, with_dependencies=True).unverified == (), "all is there"
        assert (other.site / "needed_tool.py").exists()
        target = tmp_path / "target"
        install(folder, other, "--target", str(target), environ=environ, with_dependencies=True)
        assert (target / "needed_tool.py").exists()
        assert (target / "some_tool.py").exists()
        dry = install(folder, Environment(tmp_path / "dry"), "--dry-run", environ=environ, with_dependencies=True)
        assert dry.unverified == ("deeper-tool==0.1", "needed-tool==1.5")


@pytest.mark.parametrize(
    "requirement",
    [
        "a; os_name == 'x\"\n --extra-index-url=https://evil.example\n b; os_name == \"x'",
        "a; os_name == 'x\x0b y'",
        "a; os_name == '\" --config-settings=a=b \"'",
        "a; os_name == ' -r evil.txt'",
        "a; os_name == 'x' or os_name == ' # '",
        "a; os_name == '${PATH}'",
        "a===1.0\\",
        "a @ https://evil.example/a-1.0-py3-none-any.whl",
        "a @ file:///evil/a-1.0-py3-none-any.whl",
        "-r evil.txt",
        "--index-url=https://evil.example",
        "./a",
    ],
)
def test_a_requirement_in_which_pip_would_read_more(requirement: str) -> None:
    """What a wheel requires becomes lines of a file in which pip obeys options, too, and in which quotes hide nothing."""
    metadata = f"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: {requirement}\n"
    with pytest.raises(UsageError, match=r"which is no (requirement|release)"):
        lines_of_requirements(metadata.encode())


HASH = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "text",
    [f"{NAME}==2.0 {HASH}", "needed-tool==1.5", "-r other.txt", "-c other.txt", "-e .", "--find-links=.", "--pre", "./a.whl",
     f"pip==99.0 {HASH}", f"a>=1 {HASH}", f"a==1.* {HASH}", f"a===1 {HASH}", f"a==1,>=0 {HASH}", f"a @ https://x/a-1.whl {HASH}",
     "a==1 --hash=sha1:" + "0" * 40, "a==1 --hash=md5:" + "0" * 32, "a==1 --hash=sha256:0", f"a==1 {HASH} --index-url=https://x",
     f"a==1 {HASH} -r other.txt", f"a==1 \\\n{HASH} \\\n--extra-index-url=https://x", f"a==${{VERSION}} {HASH}",
     f"a==1 {HASH}\n--extra-index-url https://x", f"a==1 {HASH}\nA==2 {HASH}", f"a==1 {HASH}\n\u2014r other.txt", ""],
)  # fmt: skip
def test_a_lock_that_would_bring_in_more(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(text + "\n")
    with pytest.raises(UsageError):
        lines_of_lock(lock, parse_artifact_name(WHEEL), sys.version_info[:2])


@pytest.mark.parametrize(
    "package",
    ['vcs = {type = "git", url = "https://x/a", commit-id = "' + "0" * 40 + '"}', 'directory = {path = "."}', 'version = "1"',
     'version = "1"\narchive = {url = "https://x/a.zip", hashes = {sha1 = "' + "0" * 40 + '"}}',
     'version = "1"\nwheels = [{name = "a-1-py3-none-any.whl", url = "https://x/a-1-py3-none-any.whl", hashes = {md5 = "' + "0" * 32 + '"}}]'],
)  # fmt: skip
def test_a_pylock_that_would_bring_in_more(tmp_path: Path, package: str) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\n{package}\n')
    with pytest.raises(UsageError):
        lines_of_lock(lock, parse_artifact_name(WHEEL), sys.version_info[:2])
