"""Sealing: what is written, what is never rewritten, who may sign, and what is refused before work begins."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forge import PASSPHRASE, Forge, asc, be_quick
from support.world import PROJECT, SDIST, SUMS, TARGETS, WHEEL, World, build, run

from sealwright.gnupg.home import private_home
from sealwright.sandbox.project import build_sdist, build_wheel


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        p.name: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in folder.iterdir()
        if p.is_file()
    }


def test_a_release_folder_is_written_and_dist_is_not_touched(unsealed: World, keys: Forge) -> None:
    before = snapshot(unsealed.dist)
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(unsealed.release)) == sorted([*TARGETS, *(f"{name}.asc" for name in TARGETS)])
    assert snapshot(unsealed.dist) == before
    listed = (unsealed.release / SUMS).read_text()
    assert listed == "".join(f"{before[name][0]}  {name}\n" for name in sorted((WHEEL, SDIST)))
    check = subprocess.run(
        ["sha256sum", "-c", "--strict", SUMS], cwd=unsealed.release, capture_output=True, check=False
    )
    assert check.returncode == 0


def test_the_signatures_are_plain_gpg_signatures(unsealed: World, keys: Forge) -> None:
    unsealed.seal(keys, keys.alice)
    for name in TARGETS:
        status = keys.run(
            "--status-fd", "1", "--verify", str(asc(unsealed.release / name)), str(unsealed.release / name)
        ).decode()
        valid = next(line for line in status.splitlines() if "VALIDSIG" in line).split()
        assert valid[2] == keys.alice
        assert valid[9:11] == ["10", "00"], "SHA-512, class 00"


def test_a_second_run_changes_no_byte(world: World, keys: Forge) -> None:
    before = snapshot(world.release)
    done = world.seal(keys, keys.alice)
    assert done.returncode == 0
    assert snapshot(world.release) == before
    assert "nothing to write" in done.stderr


def test_strays_in_dist_are_named_and_left_out(unsealed: World, keys: Forge) -> None:
    (unsealed.dist / ".gitignore").write_text("*")
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 0
    assert "left out: .gitignore" in done.stderr
    assert not (unsealed.release / ".gitignore").exists()


def test_two_maintainers_one_after_the_other(unsealed: World, keys: Forge) -> None:
    text = unsealed.policy.read_text().replace("signers = 1\nopenpgp = 1", "signers = 2\nopenpgp = 2")
    unsealed.policy.write_text(text)
    first = unsealed.seal(keys, keys.alice)
    assert first.returncode == 0, first.stderr
    assert first.stdout.split("\n")[1].startswith("SEALED BY 1 OF 2")
    assert "1 more of: bob" in first.stdout
    assert unsealed.seal(keys, keys.alice, "--require-complete").returncode == 11
    assert unsealed.verify().returncode == 11
    own = unsealed.run("sealwright", "verify")
    assert own.returncode == 11
    for said in (first, own):
        assert "send release to 1 more of: bob. In a copy of the project, they run: sealwright seal" in said.stdout
    assert "do not publish this (exit code 11)" in own.stdout
    assert "sk the project" not in own.stdout
    shutil.rmtree(unsealed.dist)  # the second maintainer has only the release folder
    second = unsealed.seal(keys, keys.bob, "--require-complete", dist=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "2 of 2 signers" in second.stdout
    assert all(asc(unsealed.release / name).read_bytes().count(b"BEGIN PGP SIGNATURE") == 2 for name in TARGETS)
    assert unsealed.verify().returncode == 0


def test_more_signers_than_are_required(unsealed: World, keys: Forge) -> None:
    assert "vouched for  1 of 1 signers" in unsealed.seal(keys, keys.alice).stdout
    assert "vouched for  2 signers (1 required)" in unsealed.seal(keys, keys.bob, dist=False).stdout


def test_nobody_signs_after_a_stranger(world: World, keys: Forge) -> None:
    """Without dist/, one adds to what a signer of the policy vouched for, never to what merely lies there."""
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(keys.mallory, (world.release / name).read_bytes()))
    before = snapshot(world.release)
    done = world.seal(keys, keys.bob, dist=False)
    assert done.returncode == 2
    assert "no signer of the policy vouches" in done.stderr
    assert snapshot(world.release) == before


def test_a_signed_set_is_final(world: World, keys: Forge) -> None:
    before = snapshot(world.release)
    for spoil in (
        lambda: (world.dist / WHEEL).unlink(),
        lambda: shutil.copy(build_wheel(world.folder, PROJECT, "1.2.3"), world.dist / WHEEL.replace("-py3", "-1-py3")),
        lambda: build_sdist(world.dist, PROJECT, "1.2.3").write_bytes(
            (world.dist / SDIST).read_bytes()[:-8] + b"\0" * 8
        ),
    ):
        spoil()
        assert world.seal(keys, keys.alice).returncode == 2
        assert snapshot(world.release) == before


def test_a_killed_run_is_finished(world: World, keys: Forge) -> None:
    """Whatever was not written yet is written by the next run, and nothing else changes."""
    complete = sorted(os.listdir(world.release))
    for missing in (SUMS + ".asc", WHEEL + ".asc", SDIST):
        (world.release / missing).unlink()
    (world.release / ".sealwright-0123456789abcdef.part").write_text("half")
    before = snapshot(world.release)
    done = world.seal(keys, keys.alice)
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(world.release)) == complete
    after = snapshot(world.release)
    assert all(after[name] == before[name] for name in before if name in after)


def test_a_damaged_artifact_in_the_release_is_put_right_from_dist(world: World, keys: Forge) -> None:
    asc(world.release / WHEEL).unlink()
    (world.release / WHEEL).write_bytes(b"damaged")
    assert world.seal(keys, keys.alice).returncode == 0
    assert world.verify().returncode == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: [p.unlink() for p in d.iterdir()], "holds no wheel and no sdist"),
        (lambda d: build(d, "1.2.4"), "several versions: 1.2.3, 1.2.4"),
        (lambda d: build(d, name="other-project"), "several projects"),
        (lambda d: (d / WHEEL).rename(d / WHEEL.replace("1.2.3", "1.2.4")), "its metadata stands in tiny_project-1.2.3.dist-info"),
        (lambda d: build_wheel(d, PROJECT, "1.2.3", inside="9.9"), "says inside that it is tiny-project 9.9"),
        (lambda d: build_sdist(d, PROJECT, "1.2.3", inside="9.9"), "says inside that it is tiny-project 9.9"),
        (lambda d: build_wheel(d, PROJECT, "1.2.3", inside="01.2.3"), "spelled '01.2.3'"),
        (lambda d: (d / "x.zip").write_bytes(b"PK"), "looks like something that is released"),
        (lambda d: (d / WHEEL).write_bytes(b"no zip"), "not a ZIP file"),
        (lambda d: (d / SDIST).write_bytes(b"no gzip"), "not a readable sdist"),
        (lambda d: [(d / SDIST).rename(d / "y"), (d / SDIST).symlink_to("y")], "is a symbolic link"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_release_is_refused(unsealed: World, keys: Forge, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    spoil(unsealed.dist)
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "hint:" in done.stderr
    assert not unsealed.release.exists()


def test_a_wheel_whose_record_disagrees(unsealed: World, keys: Forge) -> None:
    import zipfile

    path = unsealed.dist / WHEEL
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for change, message in (
        ({"tiny_project.py": b"evil"}, "tiny_project.py is not what RECORD says"),
        ({"added.py": b""}, "added.py is not listed in RECORD"),
        ({"tiny_project.py": None}, "tiny_project.py is listed in RECORD but not there"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (contents | change).items():  # type: ignore[operator]
                if content is not None:
                    archive.writestr(name, content)
        done = unsealed.seal(keys, keys.alice)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_wheel_with_one_name_twice(unsealed: World, keys: Forge) -> None:
    import zipfile

    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(unsealed.dist / WHEEL, "a") as archive:
        archive.writestr("tiny_project.py", "evil")
    assert "holds one name twice" in unsealed.seal(keys, keys.alice).stderr


def test_a_key_that_is_not_listed_signs_nothing(unsealed: World, keys: Forge) -> None:
    done = unsealed.seal(keys, keys.mallory)
    assert done.returncode == 2
    assert keys.mallory in done.stderr
    assert not list(unsealed.release.glob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no key was given"),
        (["--openpgp-key", "DEADBEEF"], "not the full fingerprint"),
        (["--openpgp-key", "0" * 40], "your keyring has no secret key"),
        (
            ["--openpgp-key-file", "nowhere.key"],
            "error: the key file nowhere.key does not exist\nsealwright: hint: It is what sealwright keys export",
        ),
        (["--openpgp-key", "0" * 40, "--openpgp-key-file", "x"], "cannot both be given"),
        (
            ["--openpgp-key-file", "keys/policy.toml"],
            "error: the key file keys/policy.toml holds no secret key that gpg can import\n"
            "sealwright: hint: sealwright keys export FINGERPRINT --secret-subkey FILE writes such a file",
        ),
        (
            ["--openpgp-key-file", "-"],
            "error: standard input is empty, and must hold a secret key\nsealwright: hint: In CI: is the secret set",
        ),
        (["--out", "dist/release", "--openpgp-key", "0" * 40], "lies in"),
        (["--out", ".", "--openpgp-key", "0" * 40], "lies inside the release"),
    ],
)
def test_wrong_calls_are_told_before_work_begins(unsealed: World, arguments: list[str], message: str) -> None:
    home = unsealed.folder / "gnupg"
    home.mkdir(mode=0o700)
    before = snapshot(unsealed.dist)
    done = unsealed.run("sealwright", "seal", "dist", *arguments, env={"GNUPGHOME": str(home)})
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert snapshot(unsealed.dist) == before
    assert not list(unsealed.folder.glob("release/*"))


def test_an_expired_policy_seals_nothing(unsealed: World, keys: Forge) -> None:
    text = unsealed.policy.read_text()
    line = next(line for line in text.splitlines() if line.startswith("expires"))
    unsealed.policy.write_text(text.replace(line, "expires = 2020-01-01T00:00:00Z"))
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 14
    assert not unsealed.release.exists()


def test_a_key_that_may_not_sign_now_is_told_why(unsealed: World, keys: Forge) -> None:
    """An expired key, one of which only the signing subkey has expired, a revoked one, one that may only certify."""
    past = "2024-01-01"
    old = keys.key("Old", expires="2025-02-03", at=past)
    half = keys.key("Half", usage="cert", expires="none", at=past)
    keys.add_subkey(half, "ed25519", "sign", "2025-03-04", past)
    gone = keys.key("Gone")
    revoked = keys.secret(gone) + keys.revoke(gone, 3)
    told = {
        old: ("has expired on 2025-02-03", f"sealwright keys extend {old}"),
        half: ("has expired on 2025-03-04", f"sealwright keys extend {half}"),
        gone: ("was revoked", "another key of the policy"),
        keys.key("Mute", usage="cert"): ("no part that may sign now", "gpg -K shows it"),
    }
    for fingerprint, (why, hint) in told.items():
        secret = (revoked if fingerprint == gone else keys.secret(fingerprint)).decode()
        done = unsealed.run("sealwright", "seal", "dist", "--openpgp-key-file", "-", input=secret)
        assert done.returncode == 2, done.stdout + done.stderr
        assert f"error: the key {fingerprint} " in done.stderr
        assert why in done.stderr
        assert hint in done.stderr
        assert not list(unsealed.folder.glob("release/*"))


def test_two_runs_at_once_do_not_mix(unsealed: World, keys: Forge) -> None:
    secret = keys.secret(keys.alice)
    command = [sys.executable, "-m", "sealwright.cli.main", "seal", "dist", "--openpgp-key-file", "-"]
    runs = [subprocess.Popen(command, cwd=unsealed.folder, stdin=-1, stdout=-1, stderr=-1) for _ in range(4)]
    ends = [(run.communicate(secret), run.returncode) for run in runs]
    assert {code for _, code in ends} <= {0, 3}, ends
    assert all(asc(unsealed.release / name).read_bytes().count(b"BEGIN PGP") == 1 for name in TARGETS)
    assert unsealed.verify().returncode == 0


@pytest.fixture
def keyring_home(unsealed: World, keys: Forge) -> Iterator[Path]:
    """A maintainer's own keyring, with Dora's key under a passphrase and a running agent."""
    with private_home("gpg") as home:  # where a path is short enough for gpg, and the agent is ended
        be_quick(home.folder)
        env = os.environ | {"GNUPGHOME": str(home.folder)}
        command = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", PASSPHRASE]
        make = ["--quick-generate-key", "Dora <dora@example.invalid>", "ed25519", "sign", "1y"]
        subprocess.run([*command, *make], env=env, check=True, capture_output=True)
        yield home.folder


def dora(home: Path, world: World) -> str:
    """List Dora in the policy and return her fingerprint."""
    env = os.environ | {"GNUPGHOME": str(home)}
    listing = subprocess.run(
        ["gpg", "--with-colons", "--list-keys"], env=env, capture_output=True, text=True, check=True
    ).stdout
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    public = subprocess.run(
        ["gpg", "--armor", "--export", fingerprint], env=env, capture_output=True, check=True
    ).stdout
    (world.policy.parent / f"{fingerprint}.asc").write_bytes(public)
    world.policy.write_text(
        world.policy.read_text() + f'\n[[signer]]\nname = "dora"\n[[signer.openpgp]]\nfingerprint = "{fingerprint}"\n'
    )
    return fingerprint


def seal_with_passphrase(
    world: World, home: Path, arguments: list[str], passphrase: str
) -> "subprocess.CompletedProcess[str]":
    read, write = os.pipe()
    os.write(write, passphrase.encode() + b"\n")
    os.close(write)
    try:
        more = ["--passphrase-fd", str(read)]
        env = {"GNUPGHOME": str(home)}
        return world.run("sealwright", "seal", "dist", *arguments, *more, env=env, pass_fds=[read])
    finally:
        os.close(read)


def test_an_agent_that_remembers_does_not_make_a_wrong_passphrase_right(unsealed: World, keyring_home: Path) -> None:
    fingerprint = dora(keyring_home, unsealed)
    env = os.environ | {"GNUPGHOME": str(keyring_home)}
    remember = [
        "gpg",
        "--batch",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        PASSPHRASE,
        "--detach-sign",
        "--output",
        "-",
    ]
    subprocess.run(remember, input=b"x", env=env, check=True, capture_output=True)
    silent = ["gpg", "--batch", "--pinentry-mode", "error", "--detach-sign", "--output", "-"]
    assert subprocess.run(silent, input=b"x", env=env, check=False, capture_output=True).returncode == 0, (
        "the agent remembers"
    )
    wrong = seal_with_passphrase(unsealed, keyring_home, ["--openpgp-key", fingerprint], "wrong")
    assert wrong.returncode == 2, wrong.stdout + wrong.stderr
    assert "passphrase" in wrong.stderr
    assert not list(unsealed.release.glob("*.asc"))
    right = seal_with_passphrase(unsealed, keyring_home, ["--openpgp-key", fingerprint], PASSPHRASE)
    assert right.returncode == 0, right.stdout + right.stderr
    assert subprocess.run(silent, input=b"x", env=env, check=False, capture_output=True).returncode != 0, (
        "it is forgotten again"
    )


def test_a_wrong_passphrase_of_a_key_file(unsealed: World, keyring_home: Path, tmp_path: Path) -> None:
    fingerprint = dora(keyring_home, unsealed)
    command = [
        "gpg",
        "--homedir",
        str(keyring_home),
        "--batch",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        PASSPHRASE,
    ]
    armored = subprocess.run(
        [*command, "--armor", "--export-secret-keys", fingerprint], capture_output=True, check=True
    ).stdout
    (tmp_path / "secret.key").write_bytes(armored)
    arguments = ["--openpgp-key-file", str(tmp_path / "secret.key")]
    wrong = seal_with_passphrase(unsealed, keyring_home, arguments, "wrong")
    assert wrong.returncode == 2, wrong.stderr
    right = seal_with_passphrase(unsealed, keyring_home, arguments, PASSPHRASE)
    assert right.returncode == 0, right.stderr


def test_a_headless_machine_is_told_three_ways_to_give_a_passphrase(unsealed: World, keyring_home: Path) -> None:
    fingerprint = dora(keyring_home, unsealed)
    env = {"GNUPGHOME": str(keyring_home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = unsealed.run("sealwright", "seal", "dist", "--openpgp-key", fingerprint, env=env)
    assert done.returncode == 2
    for way in ("--passphrase-fd", "keyring set sealwright", "terminal"):
        assert way in done.stderr


def test_a_ci_secret_that_is_not_set_is_no_passphrase(unsealed: World, keyring_home: Path) -> None:
    fingerprint = dora(keyring_home, unsealed)
    done = seal_with_passphrase(unsealed, keyring_home, ["--openpgp-key", fingerprint], "")
    assert done.returncode == 2
    assert "holds no passphrase: it is empty\nsealwright: hint: In CI: is the secret set" in done.stderr
    done = seal_with_passphrase(unsealed, keyring_home, ["--openpgp-key", fingerprint], "\n" + PASSPHRASE)
    assert done.returncode == 2
    assert "holds no passphrase\nsealwright: hint: Three ways" in done.stderr


def test_the_public_key_alone_signs_nothing(unsealed: World, keys: Forge, tmp_path: Path) -> None:
    (tmp_path / "public.asc").write_bytes(keys.public(keys.alice))
    done = run("sealwright", "seal", "dist", "--openpgp-key-file", str(tmp_path / "public.asc"), cwd=unsealed.folder)
    assert done.returncode == 2
    assert "holds a public key only" in done.stderr


def test_a_signature_that_would_not_count_is_never_written(unsealed: World, keys: Forge) -> None:
    """The key is retired in the policy, or revoked in the trust folder: the secret copy knows nothing of either."""
    text = unsealed.policy.read_text()
    unsealed.policy.write_text(text.replace(f'"{keys.alice}"\n', f'"{keys.alice}"\nuntil-version = "1.0"\n'))
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 2
    assert "would not count: the key counts only until version 1.0" in done.stderr
    unsealed.policy.write_text(text)
    (unsealed.policy.parent / f"{keys.alice}.asc").write_bytes(keys.revoke(keys.alice, 1))
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 2
    assert "would not count: the key was revoked (compromised)" in done.stderr
    assert not list(unsealed.release.glob("*.asc"))


def test_a_key_with_an_until_version_signs_what_it_may_and_only_once(unsealed: World, keys: Forge) -> None:
    text = unsealed.policy.read_text()
    unsealed.policy.write_text(text.replace(f'"{keys.alice}"\n', f'"{keys.alice}"\nuntil-version = "1.2.3"\n'))
    assert unsealed.seal(keys, keys.alice).returncode == 0
    before = snapshot(unsealed.release)
    assert unsealed.seal(keys, keys.alice).returncode == 0
    assert snapshot(unsealed.release) == before


def test_the_passphrase_comes_from_a_real_keyring(unsealed: World, keyring_home: Path, tmp_path: Path) -> None:
    """A Secret Service of its own, on a D-Bus of its own, unlocked and holding the passphrase."""
    if not shutil.which("gnome-keyring-daemon") or not shutil.which("dbus-run-session"):
        pytest.skip("gnome-keyring and dbus are not on this machine")
    fingerprint = dora(keyring_home, unsealed)
    script = tmp_path / "session"
    script.write_text(
        "set -e; printf unlock | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"
        'printf %s "$1" | "$3" -m keyring set sealwright "openpgp:$2"\n'
        '"$3" -m sealwright.cli.main seal dist --openpgp-key "$2" </dev/null\n'
    )
    env = {
        "GNUPGHOME": str(keyring_home),
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    command = ["dbus-run-session", "--", "sh", str(script), PASSPHRASE, fingerprint, sys.executable]
    done = subprocess.run(
        command, cwd=unsealed.folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SEALED" in done.stdout
    asc_files = list(unsealed.release.glob("*.asc"))
    assert len(asc_files) == 3


def test_artifacts_of_real_size(unsealed: World, keys: Forge) -> None:
    """Twenty megabytes that cannot be compressed: python-gnupg alone would sign the first part of them."""
    import tarfile

    (unsealed.folder / "noise").write_bytes(os.urandom(20 * 1024 * 1024))
    with tarfile.open(unsealed.dist / SDIST, "r:gz") as old:
        member = old.extractfile("tiny_project-1.2.3/PKG-INFO")
        assert member
        (unsealed.folder / "PKG-INFO").write_bytes(member.read())
    with tarfile.open(unsealed.dist / SDIST, "w:gz", compresslevel=1) as archive:
        for name in ("PKG-INFO", "noise"):
            archive.add(unsealed.folder / name, f"tiny_project-1.2.3/{name}")
    for _ in range(3):
        done = unsealed.seal(keys, keys.alice)
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(unsealed.release)


def test_more_artifacts_than_a_release_has(unsealed: World, keys: Forge) -> None:
    for number in range(2_001):
        (unsealed.dist / f"tiny_project-1.2.3-{number}-py3-none-any.whl").touch()
    done = unsealed.seal(keys, keys.alice)
    assert done.returncode == 2
    assert "more than 2,000 artifacts" in done.stderr
    assert not unsealed.release.exists()
