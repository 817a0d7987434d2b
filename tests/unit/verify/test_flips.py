"""One flipped bit, anywhere: never a pass in an artifact or SHA256SUMS; in a signature a refusal, or no change at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.forge import Forge
from support.fuzz import examples
from support.world import SDIST, SUMS, WHEEL, World, make_world

from sealwright.jobs.verify.release import parse_asked, verify_folder
from sealwright.model.verdict import Result, Verdict
from sealwright.store.trust_folder import read_trust_folder


@pytest.fixture(scope="module")
def flipped(keys: Forge, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("flips"), keys)
    assert world.seal(keys, keys.alice).returncode == 0
    return world


def judge(world: World) -> Verdict:
    trust = read_trust_folder(world.policy, world.release)
    asked = parse_asked("1.2.3")
    return verify_folder(world.release, trust, asked=asked, clock=lambda: datetime.now(UTC), gpg="gpg")


def meaning(verdict: Verdict) -> tuple[object, ...]:
    return verdict.result, verdict.version, verdict.artifacts, verdict.signers


def with_flip(path: Path, position: int) -> bytes:
    before = path.read_bytes()
    content = bytearray(before)
    content[position // 8 % len(content)] ^= 1 << position % 8
    path.write_bytes(content)
    return before


@pytest.mark.parametrize("name", [WHEEL, SDIST, SUMS])
@examples(60)
@given(position=st.integers(0, 1 << 20))
def test_a_flip_in_what_is_signed_never_passes(flipped: World, name: str, position: int) -> None:
    before = with_flip(flipped.release / name, position)
    try:
        assert judge(flipped).result is Result.FAILED
    finally:
        (flipped.release / name).write_bytes(before)


@pytest.mark.parametrize("name", [f"{WHEEL}.asc", f"{SUMS}.asc"])
@examples(60)
@given(position=st.integers(0, 1 << 20))
def test_a_flip_in_a_signature_fails_or_changes_nothing(flipped: World, name: str, position: int) -> None:
    good = meaning(judge(flipped))
    before = with_flip(flipped.release / name, position)
    try:
        verdict = judge(flipped)
        assert verdict.result is Result.FAILED or meaning(verdict) == good
    finally:
        (flipped.release / name).write_bytes(before)
