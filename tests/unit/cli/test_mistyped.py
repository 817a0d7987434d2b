"""A wrong call of `verify-release` is answered with the call that was meant, and never with an offer to install."""

import pytest
from support.world import PROJECT, VERSION, World

from sealwright.store.trust_sums_writing import write_sums


def pin(world: World) -> None:
    told = ["sealwright", "trust", "pin", "keys", "--fingerprint", write_sums(world.folder / "keys")]
    assert world.run(*told).returncode == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([PROJECT, VERSION, "--from", "release"], f"did you mean {PROJECT}=={VERSION}?"),
        ([PROJECT, f"=={VERSION}"], f"did you mean {PROJECT}=={VERSION}?"),
        ([PROJECT, VERSION, "--install"], f"did you mean {PROJECT}=={VERSION}?"),
        ([f"{PROJECT}=={VERSION}", "release"], "Did you mean --from release?"),
        ([VERSION, "release"], "Did you mean --from release?"),
        ([f"{PROJECT}=={VERSION}", "index"], "Did you mean --from index?"),
        ([f"{PROJECT}=={VERSION}", "github:o/r"], "Did you mean --from github:o/r?"),
        ([f"{PROJECT}=={VERSION}", "url:https://me:canary@x.invalid/"], "A place stands behind --from"),
        ([f"{PROJECT}=={VERSION}", "absent"], "--help shows an example"),
        ([f"{PROJECT}={VERSION}"], f"Did you mean {PROJECT}=={VERSION}?"),
        ([f"{PROJECT} >= {VERSION}"], f"Did you mean {PROJECT}=={VERSION}?"),
        ([PROJECT], f"Say which version: {PROJECT}==VERSION"),
        ([f"https://me:canary@x.invalid/tiny_project-{VERSION}.tar.gz"], f"did you mean {PROJECT}=={VERSION}?"),
        ([f"./absent/tiny_project-{VERSION}.tar.gz"], "Name the file that you have"),
        ([f"tiny_project-{VERSION}.zip"], "wheels (.whl) and sdists (.tar.gz)"),
        ([f"release/tiny_project-{VERSION}-py3-none-any.WHL"], "wheels (.whl) and sdists (.tar.gz)"),
        ([VERSION, "--from", "release", "--policy", "keys"], "Did you mean keys/policy.toml?"),
        ([VERSION, "--lock", "x"], "Leave it out"),
        ([VERSION, "--", "--target", "x"], "Leave it out"),
    ],
)
def test_what_was_meant(world: World, words: list[str], hint: str) -> None:
    done = world.run("verify-release", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr
    assert "Add --install" not in done.stderr
    assert "canary" not in done.stderr, "a password is not repeated"


@pytest.mark.parametrize("option", ["--python", "--target=x", "-t", "--user"])
def test_options_of_pip_stand_behind_two_dashes(world: World, option: str) -> None:
    done = world.run("verify-release", f"{PROJECT}=={VERSION}", "--install", option, "uv")
    assert done.returncode == 2
    assert "stand behind --" in done.stderr
    assert "stand behind --" not in world.run("verify-release", VERSION, "--instal").stderr


def test_a_name_that_is_nearly_a_pinned_one(world: World) -> None:
    """Whoever mistypes a name is not led to trust its publisher; whoever means another project still is told how."""
    pin(world)
    done = world.run("verify-release", f"tiny-projcet=={VERSION}", "--from", "release")
    assert done.returncode == 2
    assert f"Pinned is {PROJECT}: did you mean that?" in done.stderr
    assert "--first-use" not in done.stderr
    assert "--first-use" in world.run("verify-release", "elsewise==1.0", "--from", "release").stderr
    first = world.run("verify-release", f"tiny-projcet=={VERSION}", "--from", "release", "--first-use")
    assert f"warning: {PROJECT} is pinned, and tiny-projcet is another project" in first.stderr
    assert first.returncode != 0


def test_a_key_file_that_is_not_there(world: World) -> None:
    """Whoever has the policy alone is told to get the rest; a key exported from one's own keyring would be a guess."""
    for file in (world.folder / "keys").glob("*.asc"):
        file.unlink()
    done = world.run("verify-release", VERSION, "--from", "release", "--policy", "keys/policy.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "get the whole folder" in done.stderr
