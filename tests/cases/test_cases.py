"""Every folder beside this file is a case: a sealed release, what is done to it, and the verdict it must get."""

import hashlib
import json
import os
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.forge import Forge, asc
from support.world import PROJECT, SDIST, SUMS, TARGETS, VERSION, WHEEL, World, build

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/case.toml"))
SCHEMA = json.loads((HERE.parents[1] / "docs" / "verdict.schema.json").read_text())


def _flip(path: Path, position: str) -> None:
    content = bytearray(path.read_bytes())
    content[int(position)] ^= 1
    path.write_bytes(content)


def _sparse(path: Path, size: str) -> None:
    path.unlink(missing_ok=True)
    path.touch()
    os.truncate(path, int(size))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _expire(world: World, when: str) -> None:
    lines = world.policy.read_text().splitlines()
    world.policy.write_text("\n".join(f"expires = {when}" if line.startswith("expires") else line for line in lines))


def _sign(world: World, keys: Forge, signer: str) -> None:
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(getattr(keys, signer), (world.release / name).read_bytes()))


def spoil(world: World, keys: Forge, verb: str, *words: str) -> None:
    """Do to a sealed release what a case says."""
    filled = [_fill(world, word) for word in words]
    path = world.release / filled[0] if filled else world.release
    text = filled[1] if len(filled) > 1 else ""
    match verb:
        case "flip":
            _flip(path, text)
        case "delete":
            path.unlink()
        case "write":
            path.write_bytes(text.encode())
        case "hex":
            path.write_bytes(bytes.fromhex(text))
        case "append":
            path.write_bytes(path.read_bytes() + text.encode())
        case "copy":
            (world.release / text).write_bytes(path.read_bytes())
        case "rename":
            path.rename(world.release / text)
        case "triple":
            path.write_bytes(3 * path.read_bytes())
        case "mkdir":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "symlink":
            path.symlink_to(text)
        case "sparse":
            _sparse(path, text)
        case "sums":
            (world.release / SUMS).write_bytes(filled[0].encode())
        case "sums-upper":
            (world.release / SUMS).write_text(_upper((world.release / SUMS).read_text()))
        case "other-version":
            built = build(world.folder / "other", "1.2.4") / WHEEL.replace("1.2.3", "1.2.4")
            path.write_bytes(built.read_bytes())
        case "member":
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(text, "Name: bad\nVersion: 1.0\n")
        case "sign":
            _sign(world, keys, words[0])
        case "policy":
            _replace(world.policy, *words)
        case "policy-expires":
            _expire(world, words[0])
        case _:
            raise AssertionError(f"no such verb: {verb}")


def _fill(world: World, word: str) -> str:
    for name, file in (("wheel", WHEEL), ("sdist", SDIST)):
        if f"{{{name}-digest}}" in word:
            word = word.replace(f"{{{name}-digest}}", hashlib.sha256((world.release / file).read_bytes()).hexdigest())
        word = word.replace(f"{{{name}}}", file)
    return word


def _upper(text: str) -> str:
    return "".join(f"{line[:64].upper()}{line[64:]}\n" for line in text.splitlines())


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, world: World, keys: Forge) -> None:
    case: dict[str, Any] = tomllib.loads((HERE / name / "case.toml").read_text())
    for verb, *words in case.get("do", []):
        spoil(world, keys, verb, *words)
    asked = case.get("asked", f"{PROJECT}=={VERSION}")
    text, data = world.verify(asked=asked), world.verify("--json", asked=asked)
    assert (text.returncode, data.returncode) == (case["exit"], case["exit"]), text.stdout + text.stderr
    assert (case["exit"] != 0) == name.endswith("_fail")
    for answer in (text, data):
        assert "Traceback" not in answer.stdout + answer.stderr
        assert "\x1b" not in answer.stdout + answer.stderr
        assert "\u202e" not in answer.stdout + answer.stderr
    verdict = json.loads(data.stdout)
    jsonschema_rs.validate(SCHEMA, verdict)
    assert verdict["exitCode"] == case["exit"]
    outcome = "undecided" if case["exit"] == 3 else "fail"
    if "check" in case:
        assert case["check"] in {check["id"] for check in verdict["checks"] if check["outcome"] == outcome}
        assert case["check"] in text.stdout
    assert case.get("not-checked") in (None, *verdict["notChecked"])


def test_every_case_is_named_for_its_end() -> None:
    assert len(CASES) > 40
    assert {"sealed", "wheel_flipped_fail"} <= set(CASES)
