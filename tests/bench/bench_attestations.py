"""What one attestation over a whole release costs, against hashing its files and verifying one signature.

`python tests/bench/bench.py --only attestation`. Both sides trust the sandbox's Sigstore on loopback, in one run, and
are measured inside their processes, the second time, when the libraries are loaded. What is compared is said in docs/benchmarks.md.
"""

import base64
import json
import shutil
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import Row, World, same

from sealwright.attest.release import build_release
from sealwright.files.digest import digest_bytes
from sealwright.model.statement import Subject, render_statement
from sealwright.sandbox.keys import write_trust_folder
from sealwright.sandbox.sigstore import GitHubClaims, Sigstore, running_sigstore

PROJECT, VERSION, MIB = "bench", "1.0", 1024 * 1024
WORKFLOW = GitHubClaims(repository="o/r", ref=f"refs/tags/v{VERSION}")
LINES = f"{PROJECT}-{VERSION}.intoto.jsonl"

# Hashes the files, or takes the folder in as verify-release does (which copies them, too); judges the attestation, and
# binds every file to it. Prints: nanoseconds inside, what is covered.
OURS = """
import contextlib, os, sys, time
from pathlib import Path
from packaging.version import Version
from sealwright.files.digest import digest_descriptor
from sealwright.files.threads import each_in_parallel
from sealwright.model.release import Release, ReleaseFile
from sealwright.store.release_folder import private_copy
from sealwright.store.trust_folder import read_trust_folder
from sealwright.store.trusted_root import read_root
from sealwright.verify.attestations import check_attestations
import sealwright.verify.bundle, sigstore.verify
folder, keys = map(Path, sys.argv[1:3])
trust = read_trust_folder(keys / "policy.toml", folder)
def digest(path):
    with open(path, "rb", buffering=0) as source:
        return ReleaseFile(path.name, 0, digest_descriptor(source.fileno(), 1 << 40).sha256)
def hashed():
    [lines] = folder.glob("*.jsonl")
    files = each_in_parallel(digest, sorted(folder.glob("*.whl")))
    return Release(str(folder), (*files, ReleaseFile(lines.name, 0, "", content=lines.read_bytes())))
def verify():
    with private_copy(folder) if sys.argv[5] == "copy" else contextlib.nullcontext(hashed()) as release:
        names = tuple(sorted(file.name for file in release.files if file.name.endswith(".whl")))
        found = check_attestations(release, names, trust.policy, Version("1.0"), read_root(trust))
    passed = all(check.outcome.value == "pass" for check in found.checks)
    return [passed, *sorted(entry.target for entry in found.signed)]
verify()
start = time.perf_counter_ns()
found = verify()
print(time.perf_counter_ns() - start, *found)
"""
# The least that anybody could do: hash every file, verify one signature, compare. Prints the same.
PEER = """
import base64, hashlib, json, sys, time
from pathlib import Path
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
folder, keys = map(Path, sys.argv[1:3])
def verify():
    digests = {}
    for path in folder.glob("*.whl"):
        with path.open("rb") as stream:
            digests[path.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(keys / "trusted_root.json")))
    bundle = Bundle.from_json(next(folder.glob("*.jsonl")).read_bytes())
    try:
        _, payload = verifier.verify_dsse(bundle, Identity(identity=sys.argv[3], issuer=sys.argv[4]))
    except VerificationError:
        return [False]
    named = {subject["name"]: subject["digest"]["sha256"] for subject in json.loads(payload)["subject"]}
    return [named == digests, *sorted(named)]
verify()
start = time.perf_counter_ns()
found = verify()
print(time.perf_counter_ns() - start, *found)
"""


def sign_release(folder: Path, count: int, sigstore: Sigstore) -> None:
    """Write `count` files of 1 MiB with names of wheels, one release attestation over them, and the policy's folder."""
    from sigstore.dsse import Statement
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken
    from sigstore.sign import SigningContext

    release = folder / "release"
    release.mkdir()
    subjects = []
    for number in range(count):
        content = number.to_bytes(4) * (MIB // 4)
        name = f"{PROJECT}-{VERSION}-{number}-py3-none-any.whl"
        (release / name).write_bytes(content)
        subjects.append(Subject(name, digest_bytes(content)))
    statement = build_release(PROJECT, VERSION, f"v{VERSION}", tuple(sorted(subjects)))
    config = ClientTrustConfig.from_json(json.dumps(sigstore.trust_config()))
    token = IdentityToken(sigstore.github_token(WORKFLOW))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        bundle = signer.sign_dsse(Statement(render_statement(statement))).to_json()
    (release / LINES).write_text(bundle + "\n")
    listed = {
        "identity": WORKFLOW.identity, "oidc-issuer": WORKFLOW.issuer, "source-repository": "https://github.com/o/r",
    }  # fmt: skip
    policy = write_trust_folder(
        folder / "keys", PROJECT, {}, {}, datetime.now(UTC) + timedelta(days=1), threshold=0,
        identities={"workflow": listed}, root=sigstore.trusted_root_json(),
    )  # fmt: skip
    text = policy.read_text()
    policy.write_text(text.replace("\nrelease = false", '\nrelease = { signers = ["workflow"] }'))


def spoil(folder: Path) -> None:
    """Flip one bit of one artifact in flipped/, and one of the signature in forged/."""
    for name in ("flipped", "forged"):
        shutil.copytree(folder / "release", folder / name)
    wheel = next((folder / "flipped").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + bytes([wheel.read_bytes()[-1] ^ 1]))
    bundle = json.loads((folder / "forged" / LINES).read_text())
    signature = bundle["dsseEnvelope"]["signatures"][0]
    raw = bytearray(base64.b64decode(signature["sig"]))
    raw[-1] ^= 1
    signature["sig"] = base64.b64encode(raw).decode()
    (folder / "forged" / LINES).write_text(json.dumps(bundle) + "\n")


def bench_attestation(world: World) -> list[Row]:
    count = 10 if world.quick else 100
    with running_sigstore() as sigstore:
        sign_release(world.folder, count, sigstore)
    spoil(world.folder)

    def command(script: str, name: str, how: str = "") -> list[str]:
        where = [f"{world.folder}/{name}", f"{world.folder}/keys"]
        return [sys.executable, "-c", script, *where, WORKFLOW.identity, WORKFLOW.issuer, how]

    for script, how in ((OURS, "hash"), (OURS, "copy"), (PEER, "peer")):
        for name in ("flipped", "forged"):
            answer = world.run(*command(script, name, how)).stdout.split()[1:2]
            same(answer, ["False"], f"the answer to the {name} release ({how})")
    commands = command(OURS, "release", "hash"), command(OURS, "release", "copy"), command(PEER, "release")
    outputs = [texts for _, texts in world.interleave(15, *commands)]
    covered = {tuple(text.split()[1:]) for texts in outputs for text in texts}
    same([(found[0], len(found)) for found in covered], [("True", count + 1)], "what the attestation covers")
    hashing, copying, peer = (statistics.median(int(text.split()[0]) for text in texts) / 1e6 for texts in outputs)
    what = f"one attestation over {count} files of 1 MiB, inside the process"
    by = "SHA-256 of each and one `verify_dsse`"
    return [
        Row(f"{what}: hash and verify / {by}", hashing, peer, 1.2),
        Row(f"{what}: the same and a private copy of the files, as `verify-release` does / {by}", copying, peer),
    ]


BENCHMARKS = {"attestation": bench_attestation}
