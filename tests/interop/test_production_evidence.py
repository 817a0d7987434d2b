"""Real evidence of the public Sigstore: attestations that ship in the sdist of pypi-attestations, fetched by name.

Verified without a network, with the production root that came with sigstore-python.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples
from support.mutation import spoil, walk
from support.world import run

from sealwright.errors import ExitCode, UsageError
from sealwright.store.trusted_root import shipped_root
from sealwright.verify.bundle import check_bundle, open_verifier, read_statement

GITHUB = "https://token.actions.githubusercontent.com"
IDENTITY = "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19"
FILE = "pypi_attestations-0.0.19.tar.gz"


def verify(
    evidence: Path,
    *more: str,
    file: str = FILE,
    bundle: str = "bundle.json",
    identity: str = IDENTITY,
    issuer: str = GITHUB,
) -> Any:
    arguments = ["--bundle", bundle, "--cert-identity", identity, "--cert-oidc-issuer", issuer, "--offline", *more]
    return run("sealwright", "verify-artifact", file, *arguments, cwd=evidence)


def verify_nothing(folder: Path, file: str, *more: str) -> Any:
    """Ask with a bundle that is none: what is wrong besides must be told."""
    (folder / "bundle.json").write_text("{}")
    return verify(folder, *more, file=file)


def failed(done: Any, code: int, check: str) -> None:
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.startswith("NOT VERIFIED")
    assert f"[{check}]" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.network
def test_a_real_attestation_is_verified(evidence: Path) -> None:
    done = verify(evidence)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("VERIFIED")
    digest = hashlib.sha256((evidence / FILE).read_bytes()).hexdigest()
    by_digest = json.loads(verify(evidence, "--json", file=f"sha256:{digest}").stdout)
    assert (by_digest["result"], by_digest["exitCode"], by_digest["sha256"]) == ("PASSED", 0, digest)
    assert [check["outcome"] for check in by_digest["checks"]] == ["pass", "pass", "pass", "not-checked"]
    assert "https://docs.pypi.org/attestations/publish/v1" in done.stdout, (
        "what kind of statement it is, and that nobody read it"
    )


@pytest.mark.network
def test_no_network_is_needed(evidence: Path) -> None:
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace can be made on this machine")
    arguments = ["--bundle", "bundle.json", "--cert-identity", IDENTITY, "--cert-oidc-issuer", GITHUB]
    command = ["unshare", "-rn", sys.executable, "-m", "sealwright.cli.main", "verify-artifact", FILE, *arguments]
    assert subprocess.run(command, cwd=evidence, check=False, capture_output=True).returncode == 0


@pytest.mark.network
def test_other_bytes_another_file_another_signer(evidence: Path) -> None:
    content = (evidence / FILE).read_bytes()
    (evidence / "flipped").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    failed(verify(evidence, file="flipped"), 10, "sigstore.subject")
    failed(verify(evidence, file="gitlab_oidc_project-0.0.3.tar.gz"), 10, "sigstore.subject")
    for identity in (
        IDENTITY.replace("v0.0.19", "v0.0.1"), IDENTITY + "0", IDENTITY[:-1], IDENTITY.upper(), "https://github.com/trailofbits/", ".*", IDENTITY + " ",
    ):  # fmt: skip
        failed(verify(evidence, identity=identity), 11, "sigstore.signature")
    for issuer in ("https://gitlab.com", GITHUB + "/", GITHUB[:-1], "https://accounts.google.com"):
        failed(verify(evidence, issuer=issuer), 11, "sigstore.signature")


@pytest.mark.network
def test_evidence_of_the_staging_instance_is_a_stranger_to_production(evidence: Path) -> None:
    wheel = "rfc8785-0.1.2-py3-none-any.whl"
    failed(
        verify(
            evidence,
            file=wheel,
            bundle=f"{wheel}.sigstore",
            identity="william@yossarian.net",
            issuer="https://github.com/login/oauth",
        ),
        11,
        "sigstore.signature",
    )


@pytest.mark.network
@pytest.mark.parametrize(("identity", "issuer"), [("", GITHUB), (IDENTITY, ""), ("", "")])
def test_an_identity_without_an_issuer_is_refused(evidence: Path, identity: str, issuer: str) -> None:
    assert verify(evidence, identity=identity, issuer=issuer).returncode == 2
    with pytest.raises(UsageError):
        check_bundle(b"{}", "0" * 64, identity, issuer, open_verifier(shipped_root()))


@pytest.mark.network
def test_swapped_parts_of_a_real_bundle(evidence: Path) -> None:
    """Another attestation's envelope, certificate or log entry under this one's rest."""
    from pypi_attestations import Attestation

    other = Attestation.model_validate_json((evidence / f"{FILE}.slsa.attestation").read_bytes()).to_bundle().to_json()
    mine, theirs = json.loads((evidence / "bundle.json").read_text()), json.loads(other)
    for part in ("dsseEnvelope", "certificate", "tlogEntries"):
        swapped = json.loads(json.dumps(mine))
        if part == "dsseEnvelope":
            swapped[part] = theirs[part]
        else:
            swapped["verificationMaterial"][part] = theirs["verificationMaterial"][part]
        (evidence / "swapped.json").write_text(json.dumps(swapped))
        failed(verify(evidence, bundle="swapped.json"), 11, "sigstore.signature")
    for part in ("inclusionProof", "inclusionPromise"):
        stripped = json.loads(json.dumps(mine))
        del stripped["verificationMaterial"]["tlogEntries"][0][part]
        (evidence / "stripped.json").write_text(json.dumps(stripped))
        assert verify(evidence, bundle="stripped.json").returncode == 11
    emptied = json.loads(json.dumps(mine))
    emptied["verificationMaterial"]["tlogEntries"] = []
    (evidence / "emptied.json").write_text(json.dumps(emptied))
    assert verify(evidence, bundle="emptied.json").returncode == 11


@pytest.mark.network
def test_mutations_of_a_real_bundle_never_change_the_meaning(evidence: Path) -> None:
    """Any value replaced, dropped or doubled: a failed check, or a pass that says the same of the same file."""
    document = json.loads((evidence / "bundle.json").read_text())
    digest = hashlib.sha256((evidence / FILE).read_bytes()).hexdigest()
    root = open_verifier(shipped_root())
    paths = list(walk(document))

    @examples(150)
    @given(data=st.data())
    def mutate(data: st.DataObject) -> None:
        changed = json.loads(json.dumps(document))
        path = data.draw(st.sampled_from(paths))
        spoil(changed, path, data)
        checks = check_bundle(json.dumps(changed).encode(), digest, IDENTITY, GITHUB, root)
        assert checks
        other = check_bundle(json.dumps(changed).encode(), "0" * 64, IDENTITY, GITHUB, root)
        assert any(check.outcome.value == "fail" for check in other), "never a pass for another file"
        stranger = check_bundle(json.dumps(changed).encode(), digest, IDENTITY + "x", GITHUB, root)
        assert any(check.outcome.value == "fail" for check in stranger), "never a pass for another signer"

    mutate()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"\xff",
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        b'{"mediaType":"x"}',
        b'{"a":' * 50_000,
        b"9" * 6000,
    ],
)
def test_what_is_no_bundle(content: bytes) -> None:
    checks = check_bundle(content, "0" * 64, IDENTITY, GITHUB, open_verifier(shipped_root()))
    assert [(check.id, check.outcome.value, check.costs) for check in checks] == [
        ("sigstore.bundle", "fail", ExitCode.UNTRUSTED)
    ]
    assert checks[0].got


STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
    "predicateType": "x",
}


def test_the_subjects_of_a_statement() -> None:
    assert read_statement(json.dumps(STATEMENT).encode()) == ((("a", "0" * 64),), "x", {})


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"}, {"_type": None}, {"subject": []}, {"subject": None}, {"subject": {}}, {"subject": [1]},
        {"subject": [{}]}, {"subject": [{"digest": {}}]}, {"subject": [{"digest": {"sha256": 1}}]}, {"subject": [{"digest": {"sha512": "0"}}]},
        {"subject": [{"digest": {"sha256": "0" * 64}}, {"digest": {"md5": "0"}}]}, {"predicateType": None}, {"predicateType": ""},
        {"predicate": []}, {"predicate": "x"}, {"predicate": 0},
    ],
)  # fmt: skip
def test_a_statement_that_names_no_file(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="statement"):
        read_statement(json.dumps(STATEMENT | change).encode())


def test_a_statement_with_a_name_that_stands_twice() -> None:
    text = json.dumps(STATEMENT).replace('"predicateType"', '"subject": [], "predicateType"')
    with pytest.raises(ValueError, match="twice"):
        read_statement(text.encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"\xff", b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'],
)
def test_what_is_no_trusted_root(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "root.json").write_bytes(content)
    done = verify_nothing(tmp_path, f"sha256:{'0' * 64}", "--trusted-root", "root.json")
    assert done.returncode in (2, 11), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "message"), [("nowhere", "does not exist"), ("sha256:12", "does not exist"), (".", "a directory")]
)
def test_what_is_no_file(tmp_path: Path, file: str, message: str) -> None:
    done = verify_nothing(tmp_path, file)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("kind", ["fifo", "directory", "huge", "many values"])
def test_a_trusted_root_that_is_an_attack(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "root.json"
    match kind:
        case "fifo":
            os.mkfifo(root)
        case "directory":
            root.mkdir()
        case "huge":
            root.touch()
            os.truncate(root, 5 * 1024**3)
        case _:
            root.write_bytes(b'{"tlogs": [' + b"{}," * 200_000 + b"{}]}")
    done = verify_nothing(tmp_path, f"sha256:{'0' * 64}", "--trusted-root", "root.json")
    assert done.returncode == 2
    assert "trusted root" in done.stderr


def test_a_file_that_is_called_like_a_digest(tmp_path: Path) -> None:
    name = f"sha256:{'0' * 64}"
    (tmp_path / name).write_text("evil")
    done = verify_nothing(tmp_path, name)
    assert done.returncode == 2
    assert "also the name of a file" in done.stderr
