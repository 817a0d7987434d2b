"""The order of checks and what they add up to, where the cases do not reach."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.forge import Forge, asc
from support.world import SDIST, TARGETS, WHEEL, World

from sealwright.errors import ExitCode, PolicyError, UndecidedError, gravest
from sealwright.model.release import ReleaseFile
from sealwright.model.verdict import Check, Outcome, PolicyInUse, Result, Verdict
from sealwright.verify.checksums import ChecksumLine, render_checksums
from sealwright.verify.metadata import check_metadata

KEYLESS = """
[[signer]]
name = "workflow"
[[signer.sigstore]]
identity = "release@example.invalid"
oidc-issuer = "https://issuer.invalid"
"""


def test_two_spellings_of_a_version_are_two_versions(world: World, keys: Forge) -> None:
    """1.2.3 and 1.2.3.0 are equal by PEP 440, and still no one release."""
    other = world.release / SDIST.replace("1.2.3", "1.2.3.0")
    (world.release / SDIST).rename(other)
    asc(world.release / SDIST).unlink()
    from hashlib import sha256

    files = (world.release / WHEEL, other)
    lines = tuple(ChecksumLine(sha256(file.read_bytes()).hexdigest(), file.name) for file in files)
    (world.release / "SHA256SUMS").write_bytes(render_checksums(lines))
    for name in ("SHA256SUMS", WHEEL, other.name):
        asc(world.release / name).write_bytes(keys.sign(keys.alice, (world.release / name).read_bytes()))
    verdict = world.judge()
    assert verdict.exit_code is ExitCode.TAMPERED
    assert [c.got for c in verdict.failed()] == ["1.2.3, 1.2.3.0"]


def test_a_renamed_old_wheel_fails_even_if_its_new_name_is_signed(world: World, keys: Forge) -> None:
    """A signer may be tricked into signing a SHA256SUMS; what a wheel says inside still decides."""
    renamed = {name: name.replace("1.2.3", "1.2.4") for name in (WHEEL, SDIST)}
    for old, new in renamed.items():
        (world.release / old).rename(world.release / new)
        asc(world.release / old).rename(asc(world.release / new))
    text = (world.release / "SHA256SUMS").read_text().replace("1.2.3", "1.2.4")
    (world.release / "SHA256SUMS").write_text(text)
    asc(world.release / "SHA256SUMS").write_bytes(keys.sign(keys.alice, text.encode()))
    verdict = world.judge(asked="tiny-project==1.2.4")
    assert verdict.exit_code is ExitCode.TAMPERED
    assert {c.id for c in verdict.failed()} == {"artifact.metadata"}


def test_an_audit_that_is_required_and_not_there_is_missing(world: World) -> None:
    world.edit_policy("audit = false", 'audit = { signers = ["workflow"], max-age-days = 7 }')
    world.policy.write_text(world.policy.read_text() + KEYLESS)
    verdict = world.judge()
    assert (verdict.result, verdict.exit_code) == (Result.FAILED, ExitCode.MISSING)
    assert {c.id for c in verdict.failed()} == {"evidence.present", "attestation.audit"}


def test_what_is_no_bundle_counts_for_nobody(world: World) -> None:
    text = world.policy.read_text().replace(
        "signers = 1\nopenpgp = 1\nsigstore = 0", "signers = 2\nopenpgp = 1\nsigstore = 1"
    )
    world.policy.write_text(text + KEYLESS)
    missing = world.judge()
    assert missing.exit_code is ExitCode.UNTRUSTED, "no bundle is there: nobody else vouched"
    for name in TARGETS:
        (world.release / f"{name}.sigstore.json").write_text("{}")
    verdict = world.judge()
    assert (verdict.result, verdict.exit_code) == (Result.FAILED, ExitCode.UNTRUSTED)
    assert {c.id for c in verdict.failed()} == {"signers.threshold", "sigstore.threshold", "sigstore.evidence"}


def test_metadata_is_not_read_before_somebody_vouched(world: World, keys: Forge) -> None:
    for name in TARGETS:
        asc(world.release / name).write_bytes(keys.sign(keys.mallory, (world.release / name).read_bytes()))
    assert not [c for c in world.judge().checks if c.id == "artifact.metadata"]


def test_only_what_somebody_vouched_for_is_opened(world: World, keys: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while gpg still judges: a signature of SHA256SUMS by a stranger opens nothing."""
    opened: list[str] = []

    def look(file: ReleaseFile, *more: Any) -> Check:
        opened.append(file.name)
        return check_metadata(file, *more)

    monkeypatch.setattr("sealwright.verify.metadata.check_metadata", look)
    world.judge()
    assert opened == [WHEEL, SDIST], "each once"
    opened.clear()
    sums = world.release / "SHA256SUMS"
    asc(sums).write_bytes(keys.sign(keys.mallory, sums.read_bytes()))
    asc(world.release / SDIST).write_bytes(keys.sign(keys.mallory, (world.release / SDIST).read_bytes()))
    world.judge()
    assert opened == [WHEEL], "its own signature is by a signer"


def test_what_sha256sums_does_not_list_is_not_opened_for_its_sake(
    world: World, keys: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealwright.verify.metadata.check_metadata", lambda *all: pytest.fail("opened"))
    for name in (WHEEL, SDIST):
        asc(world.release / name).unlink()
        path = world.release / name
        path.write_bytes(path.read_bytes() + b"x")
    assert world.judge().exit_code is ExitCode.TAMPERED


def test_no_signature_counts_before_the_key_files_are_right(
    world: World, keys: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gpg judges while the key files are still being looked at; what it says must wait for that."""
    monkeypatch.setattr("sealwright.verify.metadata.check_metadata", lambda *all: pytest.fail("opened"))
    file = world.policy.parent / f"{keys.alice}.asc"
    file.write_bytes(file.read_bytes() + keys.public(keys.mallory))
    with pytest.raises(PolicyError, match="does not list"):
        world.judge()


def test_a_full_temporary_folder_is_undecided(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    monkeypatch.setattr("sealwright.files.private.MEMORY", Path("/proc"))
    with pytest.raises(UndecidedError) as caught:
        world.judge()
    assert "TMPDIR" in caught.value.hint


def verdict_of(*checks: Check) -> Verdict:
    use = PolicyInUse("p", 1, "f", datetime.now(UTC))
    return Verdict("p", "1", "d", use, (), (), 1, checks)


def check(check_id: str, outcome: Outcome, costs: ExitCode = ExitCode.UNTRUSTED) -> Check:
    return Check(check_id, "s", outcome, "", "", "", costs)


def test_no_checks_never_pass() -> None:
    assert verdict_of().result is Result.UNDECIDED
    assert verdict_of(check("policy.expiry", Outcome.PASS)).result is Result.UNDECIDED
    assert verdict_of(check("signers.threshold", Outcome.PASS)).result is Result.UNDECIDED, "nobody is counted"
    assert verdict_of(check("signers.threshold", Outcome.NOT_CHECKED)).result is Result.UNDECIDED


def test_the_gravest_code_wins() -> None:
    order = [10, 11, 12, 13, 20, 21, 14, 40, 3, 31, 30]
    for number, code in enumerate(order):
        assert gravest({ExitCode(later) for later in order[number:]} | {ExitCode.DONE}) == code
    assert gravest(set()) is ExitCode.DONE
    with pytest.raises(ValueError, match="not the outcome"):
        gravest({ExitCode.USAGE})
