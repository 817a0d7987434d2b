"""`sealwright demo`: the whole story on the spot. Every command it shows is really run, as a process of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealwright.cli.world import clock, find_gpg, say, style
from sealwright.errors import ExitCode, UsageError
from sealwright.render.style import wrapped

if TYPE_CHECKING:
    from sealwright.sandbox.sigstore import Sigstore

_PROJECT, _VERSION = "sealed-demo", "1.0"
_WHEEL = "sealed_demo-1.0-py3-none-any.whl"


@click.command(epilog="Example: sealwright demo --keep /tmp/demo")
@click.option("--keep", type=click.Path(path_type=Path), help="Work in this new folder and keep it.")
def command(keep: Path | None) -> int:
    """Build a tiny project, seal it, verify it as an end user would, then attack it three times.

    Everything happens in a temporary folder with a throw-away key; no network, no configuration.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="sealwright-demo-") as folder:
            return _play(Path(folder))
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(f"{keep} is not an empty folder", "Name a new folder.")
    keep.mkdir(parents=True, exist_ok=True)
    code = _play(keep.resolve())
    click.echo()
    say(f"Everything is in {keep}; run the commands above there.", sys.stdout)
    return code


def _play(folder: Path) -> int:
    from sealwright.sandbox.sigstore import running_sigstore

    story = (
        "A tiny project is built. Its policy wants two signatures: one by its release workflow, with Sigstore",
        "(one that runs on this machine for as long), and one by its maintainer, with OpenPGP. Mallory has both, too.",
    )
    for text in (" ".join(story),) if style().width else story:
        say(text, sys.stdout)
    with running_sigstore(clock) as sigstore:
        _build_world(folder, sigstore)
        return _tell(folder)


def _tell(folder: Path) -> int:
    sigstore = ["--trust-config", "sigstore.json", "--yes"]
    policy = ["--policy", "keys/policy.toml"]
    by_workflow = [
        "sealwright",
        "seal",
        "dist/",
        *policy,
        "--identity-token",
        "workflow.token",
        *sigstore,
        "--no-openpgp",
    ]
    by_maintainer = ["sealwright", "seal", *policy, "--openpgp-key-file", "maintainer.key"]
    verify = ["verify-release", f"{_PROJECT}=={_VERSION}", *policy, "--from"]
    as_told = [
        _act(folder, "The release workflow seals the release.", by_workflow, ExitCode.DONE),
        _act(folder, "The maintainer adds a signature.", by_maintainer, ExitCode.DONE),
        _act(folder, "A user verifies it before installing.", [*verify, "release"], ExitCode.DONE),
    ]
    attacks: tuple[tuple[str, str, Callable[[Path, Path], None], ExitCode], ...] = (
        ("flipped", "Somebody flips one bit of the wheel.", _flip, ExitCode.TAMPERED),
        ("deleted", "Somebody deletes a signature.", _delete, ExitCode.MISSING),
        ("mallory", "Mallory replaces every signature with their own.", _replace, ExitCode.UNTRUSTED),
    )
    for name, story, attack, code in attacks:
        shutil.copytree(folder / "release", folder / name)
        attack(folder, folder / name)
        as_told.append(_act(folder, story, [*verify, name], code))
    click.echo(f"\n{sum(as_told)} of {len(as_told)} steps ended as they should.")
    return int(ExitCode.DONE if all(as_told) else ExitCode.INTERNAL)


def _build_world(folder: Path, sigstore: "Sigstore") -> None:
    from sealwright.gnupg.home import private_home
    from sealwright.sandbox.keys import export_public, export_secret, make_key, write_trust_folder
    from sealwright.sandbox.project import build_sdist, build_wheel
    from sealwright.sandbox.sigstore import EMAIL_ISSUER, GITHUB_ISSUER, GitHubClaims

    (folder / "dist").mkdir()
    build_wheel(folder / "dist", _PROJECT, _VERSION)
    build_sdist(folder / "dist", _PROJECT, _VERSION)
    sigstore.write_trust_config(folder / "sigstore.json")
    workflow = GitHubClaims(repository=f"example/{_PROJECT}", ref=f"refs/tags/v{_VERSION}")
    _write_secret(folder / "workflow.token", sigstore.github_token(workflow).encode())
    _write_secret(folder / "mallory.token", sigstore.email_token("mallory@example.invalid").encode())
    listed = {
        "maintainer": {
            "identity": workflow.identity.replace(_VERSION, "{version}"),
            "oidc-issuer": GITHUB_ISSUER,
            "source-repository": f"https://github.com/{workflow.repository}",
        },
        "mallory": {"identity": "mallory@example.invalid", "oidc-issuer": EMAIL_ISSUER},
    }
    expires = clock() + timedelta(days=365)
    for name, trust in (("maintainer", "keys"), ("mallory", "mallory-keys")):
        with private_home(find_gpg()) as home:
            fingerprint = make_key(home, name.capitalize())
            public, secret = export_public(home, fingerprint), export_secret(home, fingerprint)
        keyless = {"the release workflow" if name == "maintainer" else "mallory as well": listed[name]}
        write_trust_folder(
            folder / trust, _PROJECT, {f"the {name}": fingerprint}, {fingerprint: public}, expires,
            identities=keyless, root=sigstore.trusted_root_json(),
        )  # fmt: skip
        _write_secret(folder / f"{name}.key", secret)


def _write_secret(path: Path, content: bytes) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(target, "wb") as stream:
        stream.write(content)


def _act(folder: Path, story: str, command: list[str], expected: ExitCode) -> bool:
    """Run a command and show it with what it printed and its exit code; tell whether that was the expected one."""
    width = style().width
    click.echo(f"\n{story}\n" + " \\\n".join(wrapped(f"$ {' '.join(command)}", width and width - len(" \\"), 4)))
    done = _run(folder, command, inherit=bool(width))
    click.echo(done.stdout or "", nl=False)
    click.echo(
        f"exit code {done.returncode}"
        + ("" if done.returncode == expected else f", which should have been {int(expected)}")
    )
    return done.returncode == expected


def _run(folder: Path, command: list[str], *, inherit: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run a command; what it says on both streams is in one, in the order in which a terminal would show it.

    `inherit`: the command itself writes to the terminal, and so it wraps its lines for it.
    """
    module = {"sealwright": "sealwright.cli.main", "verify-release": "sealwright.cli.verify_release"}[command[0]]
    program = [sys.executable, "-m", module, *command[1:]]
    # What the demo's user sees is nobody else's memory, and its audit log is its own.
    places = {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("data", "config", "state")}
    own = os.environ | places
    return subprocess.run(
        program, cwd=folder, env=own, stdin=subprocess.DEVNULL, stdout=None if inherit else subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip


def _flip(folder: Path, release: Path) -> None:
    content = bytearray((release / _WHEEL).read_bytes())
    content[len(content) // 2] ^= 1
    (release / _WHEEL).write_bytes(content)


def _delete(folder: Path, release: Path) -> None:
    (release / f"{_WHEEL}.asc").unlink()


def _replace(folder: Path, release: Path) -> None:
    for signature in (*release.glob("*.asc"), *release.glob("*.sigstore.json")):
        signature.unlink()
    secrets = ["--openpgp-key-file", "mallory.key", "--identity-token", "mallory.token"]
    where = ["--out", release.name, "--policy", "mallory-keys/policy.toml", "--trust-config", "sigstore.json", "--yes"]
    done = _run(folder, ["sealwright", "seal", "dist/", *where, *secrets])
    if done.returncode:
        raise RuntimeError("Mallory could not seal")
