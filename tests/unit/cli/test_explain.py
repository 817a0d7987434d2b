"""`sealwright explain` as a person runs it: what is said, what is refused, and how long hostile input takes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.forge import short_temporary
from support.fulcio import IDENTITY, ISSUER, b64, bundle, certificate, der_text, statement
from support.measure import KILOBYTES, SECONDS, measure
from support.terminal import on_terminal
from support.world import SDIST, SUMS, WHEEL, World, run


def write(folder: Path, document: Any, name: str = "x.sigstore.json") -> str:
    (folder / name).write_text(json.dumps(document))
    return name


def explain(folder: Path, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return run("sealwright", "explain", *arguments, cwd=folder, **options)


def test_a_bundle(tmp_path: Path) -> None:
    done = explain(tmp_path, write(tmp_path, bundle(statement())))
    assert done.returncode == 0, done.stderr
    first, _, *lines = done.stdout.splitlines()
    assert first == "UNVERIFIED CLAIMS  this is what x.sigstore.json says; nothing of it was checked"
    assert f"claims  identity      {IDENTITY} (URI)" in lines
    assert f"claims  oidc issuer   {ISSUER}" in lines
    assert all(line.startswith("claims  ") for line in lines[: lines.index("")])


def test_json(tmp_path: Path) -> None:
    done = explain(tmp_path, write(tmp_path, bundle()), "--json")
    document = json.loads(done.stdout)
    assert (document["verified"], document["exitCode"], done.returncode) == (False, 0, 0)
    assert document["pieces"][0]["certificate"]["oidcIssuers"] == [ISSUER]
    assert document["pieces"][0]["messageDigest"] == {"label": "SHA2_256", "text": "ab" * 32}
    assert "release" not in document


def test_lines_split_at_newlines_only(tmp_path: Path) -> None:
    odd = json.dumps(bundle(statement("https://example.org/\u2028\x85")), ensure_ascii=False)
    (tmp_path / "x.intoto.jsonl").write_text(odd + "\n" + json.dumps(bundle(statement())) + "\n", newline="\n")
    done = explain(tmp_path, "x.intoto.jsonl", "--json")
    assert [piece["where"] for piece in json.loads(done.stdout)["pieces"]] == ["line 1", "line 2"]
    assert done.returncode == 0
    (tmp_path / "x.intoto.jsonl").write_text("{}\n\n" + odd)
    done = explain(tmp_path, "x.intoto.jsonl")
    assert done.returncode == 3
    assert "unread  line 1 cannot be read: no Sigstore bundle" in done.stdout


def test_a_claim_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b[1;1HVERIFIED\r\n\u202e\x07" + " " * 60 + "VERIFIED  pkg 1.0"
    document = bundle(
        statement(evil, subject=[{"name": evil, "digest": {evil: evil}}]), der=certificate({12: der_text(evil)})
    )
    name = write(tmp_path, document)
    code, screen = on_terminal(["sealwright.cli.main", "explain", name], tmp_path, {"NO_COLOR": "1"}, {})
    assert code == 0
    assert all(line.isprintable() and len(line) <= 80 for line in screen.replace("\r\n", "\n").split("\n"))
    assert not any(line.startswith("VERIFIED") for line in screen.splitlines())
    assert "\\x1b[2J" in screen
    assert "\x1b" not in explain(tmp_path, name).stdout + explain(tmp_path, name, "--json").stdout


def test_openpgp_and_checksums(world: World) -> None:
    done = world.run("sealwright", "explain", f"release/{SUMS}.asc")
    assert done.returncode == 0, done.stderr
    fingerprint = next(iter({p.stem for p in (world.folder / "keys").glob("*.asc")} & set(done.stdout.split())))
    assert f"claims  key           fingerprint {fingerprint}" in done.stdout
    assert "binary document, EdDSA, SHA-512" in done.stdout
    done = world.run("sealwright", "explain", f"release/{SUMS}")
    assert f"claims  lists         {WHEEL}" in done.stdout


@pytest.mark.parametrize("name", ["nowhere", "keys/policy.toml", "dist", f"dist/{SDIST}", "fifo", "key.asc", "key"])
def test_what_is_nothing_that_it_knows(world: World, name: str) -> None:
    os.mkfifo(world.folder / "fifo")
    key = next((world.folder / "keys").glob("*.asc")).read_bytes()
    (world.folder / "key.asc").write_bytes(key)
    (world.folder / "key").write_bytes(key)
    done = world.run("sealwright", "explain", name)
    assert done.returncode == 2, done.stdout
    assert done.stdout == ""
    assert "sealwright: hint: " in done.stderr


def test_a_folder_and_what_in_it_cannot_be_read(world: World) -> None:
    write(world.release, bundle(statement()), f"{SDIST}.sigstore.json")
    done = world.run("sealwright", "explain", "release")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("claims  OpenPGP signature ") == 3
    (world.release / "a.sigstore.json").symlink_to("/etc/passwd")
    (world.release / f"{SUMS}.asc").write_text("-----BEGIN PGP SIGNATURE-----\n")
    os.mkfifo(world.release / "b.asc")
    done = world.run("sealwright", "explain", "release")
    assert done.returncode == 3
    assert "cannot be read: it is a symbolic link" in done.stdout
    assert "cannot be read: it is a FIFO" in done.stdout
    assert "not closed" in done.stdout
    assert "root:" not in done.stdout


def test_the_commands_of_a_release_that_verified(world: World) -> None:
    listed = f'\n[[signer.sigstore]]\nidentity = "{IDENTITY.replace("1.2.3", "{version}")}"\noidc-issuer = "{ISSUER}"\n'
    listed += 'source-repository = "https://github.com/o/r"\n'
    world.policy.write_text(world.policy.read_text().rstrip() + listed)
    subject = [{"name": SDIST, "digest": {"sha256": "0" * 64}}]
    line = json.dumps(bundle(statement("https://slsa.dev/provenance/v1", subject=subject)))
    (world.release / "tiny_project-1.2.3.intoto.jsonl").write_text(f"{line}\n")
    write(world.release, bundle(), f"{SDIST}.sigstore.json")
    done = world.run("sealwright", "explain", "release", "--policy", "keys/policy.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("UNVERIFIED CLAIMS  this is what the evidence in release says")
    claimed, _, commands = done.stdout.partition("THE RELEASE IS VERIFIED  tiny-project 1.2.3\n")
    assert commands
    for command in (
        "python -m sigstore verify identity",
        "cosign verify-blob ",
        "cosign verify-blob-attestation",
        "gh attestation",
    ):
        assert f"\n{command}" in commands
        assert command not in claimed
    document = json.loads(
        world.run("sealwright", "explain", "release", "--policy", "keys/policy.toml", "--json").stdout
    )
    assert (document["verified"], document["release"]["result"]) == (False, "PASSED")
    lines = [c["line"] for c in document["release"]["commands"] if c["program"] in ("sh", "sha256sum", "gpg")]
    with short_temporary() as folder:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=world.folder,
            env=os.environ | {"TMPDIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(": OK") == 2
    assert ran.stderr.count("Good signature") == 3


def test_no_commands_for_a_release_that_did_not_verify(world: World) -> None:
    with (world.release / WHEEL).open("ab") as stream:
        stream.write(b"x")
    done = world.run("sealwright", "explain", "release", "--policy", "keys/policy.toml")
    assert done.returncode == 10
    assert "THE RELEASE IS NOT VERIFIED  tiny-project" in done.stdout
    assert "no commands are given" in done.stdout
    assert "gpg --homedir" not in done.stdout
    document = json.loads(
        world.run("sealwright", "explain", "release", "--policy", "keys/policy.toml", "--json").stdout
    )
    assert (document["exitCode"], document["release"]["result"], document["release"]["commands"]) == (10, "FAILED", [])


def test_a_policy_is_not_older_than_one_that_was_seen(world: World, data_home: Path) -> None:
    """Rule 11: always refused. What is only explained moves no memory, either."""
    asked = ("sealwright", "explain", "release", "--policy", "keys/policy.toml")
    assert world.run(*asked).returncode == 0
    assert not data_home.exists()
    world.edit_policy("version = 1\n", "version = 2\n")
    verify = ("verify-release", "1.2.3", "--from", "release", "--policy", "keys/policy.toml")
    assert world.run(*verify).returncode == 0
    world.edit_policy("version = 2\n", "version = 1\n")
    done = world.run(*asked)
    assert (done.returncode, world.run(*verify).returncode) == (14, 14), done.stdout
    assert "gpg --homedir" not in done.stdout


def test_a_policy_judges_folders_from_outside_of_them(world: World) -> None:
    done = world.run("sealwright", "explain", f"release/{SUMS}", "--policy", "keys/policy.toml")
    assert done.returncode == 2
    (world.release / "policy.toml").write_bytes(world.policy.read_bytes())
    assert world.run("sealwright", "explain", "release", "--policy", "release/policy.toml").returncode == 2


def deep(opening: str, closing: str) -> str:
    return f'{{"mediaType": {opening * 50_000}1{closing * 50_000}}}'


MANY = 3_000_000
HOSTILE = {
    "arrays": deep("[", "]"),
    "objects": deep('{"a":', "}"),
    "digits": '{"mediaType": "application/vnd.dev.sigstore.bundle", "x": ' + "9" * MANY + "}",
    "values": '{"verificationMaterial": [' + "[]," * (MANY // 3) + "[]]}",
    "payload": json.dumps(bundle() | {"dsseEnvelope": {
        "payloadType": "application/vnd.in-toto+json", "payload": b64(b"[" + b'{"":0},' * 190_000 + b"0]")}}),
    "nested payload": json.dumps(bundle() | {"dsseEnvelope": {
        "payloadType": "application/vnd.in-toto+json", "payload": b64(b"[" * MANY)}}),
    "subjects": json.dumps(bundle(statement(subject=[{"name": "x", "digest": {"sha256": "0"}}] * 60_000))),
    "entries": json.dumps(bundle(tlogEntries=[{"logIndex": "\x1b[2J"}] * 9_000)),
    "names": json.dumps(bundle(der=certificate({12: der_text("\x1b" * 60_000)}))),
    "long claim": json.dumps(bundle(statement("\u202e" * 200_000))),
    "certificate": json.dumps(bundle(der=b"\x30\x84\x00\x20\x00\x00" + bytes(2_000_000))),
    "timestamps": json.dumps(bundle(timestampVerificationData={"rfc3161Timestamps": [{"signedTimestamp": b64(b"0\x80" * 9_000)}] * 100})),
    "surrogates": '{"mediaType": "application/vnd.dev.sigstore.bundle\\ud800", "verificationMaterial": {}}',
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_hostile_bundles(kind: str, more: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.sigstore.json").write_text(HOSTILE[kind])
    bounded(tmp_path, "x.sigstore.json", *more)


def test_hostile_lines(tmp_path: Path) -> None:
    line = json.dumps(bundle(statement(), tlogEntries=[]))
    (tmp_path / "x.intoto.jsonl").write_text(f"{line}\n" * 1_000 + "\n" * 1_000_000)
    bounded(tmp_path, "x.intoto.jsonl", seconds=2 * SECONDS)


def test_a_folder_of_too_much(tmp_path: Path) -> None:
    line = json.dumps(bundle(statement()))
    for number in range(1_200):
        (tmp_path / f"{number}.sigstore.json").write_text(line)
    many = json.dumps(bundle(statement(subject=[{"name": "x", "digest": {}}] * 800)))
    (tmp_path / "a.intoto.jsonl").write_text(f"{many}\n" * 100)
    bounded(tmp_path, ".", seconds=2 * SECONDS)
    assert "name this file alone" in explain(tmp_path, ".").stdout


def test_hostile_armor(tmp_path: Path) -> None:
    packet = b64(b"\xc2\x0a\x04\x00\x16\x0a\x00\x00\x00\x00\x00\x00" * 12_000)
    (tmp_path / "x.asc").write_text(f"-----BEGIN PGP SIGNATURE-----\n\n{packet}\n-----END PGP SIGNATURE-----\n")
    bounded(tmp_path, "x.asc")


def bounded(folder: Path, *arguments: str, seconds: float = SECONDS) -> None:
    code, printed, spent, memory = measure(["sealwright.cli.main", "explain", *arguments], folder)
    assert code in (0, 3), printed[:1000]
    assert "Traceback" not in printed
    assert "internal error" not in printed
    assert all(line.isprintable() for line in printed.split("\n"))
    assert (spent < seconds, memory < KILOBYTES) == (True, True), (spent, memory)
