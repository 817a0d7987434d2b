"""The commands for other programs: the policy's words, never the evidence's, and nothing that a shell would obey."""

import shlex
from typing import Any

from support.fulcio import IDENTITY, ISSUER
from support.policies import policy_text

from sealwright.model.explanation import (
    Certificate,
    Claim,
    Command,
    Explanation,
    Piece,
    PieceKind,
    StatementClaims,
    Subject,
)
from sealwright.model.policy import Policy
from sealwright.model.policy_toml import parse_policy
from sealwright.render.commands import release_commands

SDIST = "pkg-1.2.3.tar.gz"
SIGNERS = """[[signer]]
name = "alice"
[[signer.openpgp]]
fingerprint = "ABABABABABABABABABABABABABABABABABABABAB"
[[signer.sigstore]]
identity = "alice@example.org"
oidc-issuer = "https://accounts.example.org"
[[signer]]
name = "workflow"
[[signer.sigstore]]
identity = "https://github.com/o/r/.github/workflows/release.yml@refs/tags/v{version}"
oidc-issuer = "https://token.actions.githubusercontent.com"
source-repository = "https://github.com/o/r"
source-ref = "refs/tags/v{version}"
"""


def policy(root: str = "production") -> Policy:
    return parse_policy(
        policy_text(SIGNERS, project="pkg", repository="https://github.com/o/r", root=root, openpgp=1).encode()
    )


def signed(name: str, identity: str = IDENTITY, issuer: str = ISSUER, **more: Any) -> Piece:
    return Piece(name, PieceKind.BUNDLE, certificate=Certificate((Claim("URI", identity),), (issuer,)), **more)


def over(*names: str) -> StatementClaims:
    return StatementClaims("t", "https://slsa.dev/provenance/v1", tuple(Subject(name, ()) for name in names), ())


def commands(
    *pieces: Piece, root: str = "production", folder: str = "release", more: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    names = (SDIST, *(piece.file for piece in pieces), *more)
    made = release_commands(policy(root), "1.2.3", "keys/policy.toml", Explanation(folder, True, pieces, names))
    return lines_of(made)


def lines_of(made: tuple[Command, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for command in made:
        found.setdefault(command.program, []).append(command.line)
    return found


WHO = f"--cert-identity {IDENTITY} --cert-oidc-issuer {ISSUER}"


def test_a_file_and_its_bundle() -> None:
    bundle = f"{SDIST}.sigstore.json"
    made = commands(signed(bundle, digest=Claim("SHA2_256", "ab")))
    assert made["sigstore"] == [
        f"python -m sigstore verify identity --bundle release/{bundle} {WHO} release/{SDIST}"
    ]  # fmt: skip
    assert made["cosign"] == [
        f"cosign verify-blob --bundle release/{bundle} --new-bundle-format --certificate-identity {IDENTITY} "
        f"--certificate-oidc-issuer {ISSUER} release/{SDIST}"
    ]
    assert "gh" not in made, "it refuses bundles that sign the file itself"


def test_an_attestation_in_a_line() -> None:
    made = commands(signed("pkg-1.2.3.intoto.jsonl", statement=over(SDIST, "absent.whl"), where="line 2"))
    alone = '"$work"/pkg-1.2.3.intoto.jsonl.2.sigstore.json'
    assert made["sed"] == [f"sed -n 2p release/pkg-1.2.3.intoto.jsonl > {alone}"]
    kind = "https://slsa.dev/provenance/v1"
    assert made["cosign"][0].startswith(f"cosign verify-blob-attestation --type {kind} --bundle {alone} ")
    assert made["gh"] == [
        f"gh attestation verify release/{SDIST} --bundle {alone} --repo o/r {WHO} --predicate-type {kind} "
        "--source-ref refs/tags/v1.2.3"
    ]
    assert len(made["sigstore"]) == 1, "for each subject that is there"


def test_a_trusted_root_of_the_projects_own() -> None:
    made = commands(signed("pkg-1.2.3.intoto.jsonl", statement=over(SDIST)), root="trusted_root.json")
    assert '--trust-config "$work"/trust.json verify identity' in made["sigstore"][0]
    assert "--trusted-root keys/trusted_root.json" in made["cosign"][0]
    assert '--custom-trusted-root "$work"/root.jsonl' in made["gh"][0]
    assert len(made["python"]) == 2
    assert made["sh"][0].startswith('work="$(mktemp -d)"')


def test_the_staging_instance() -> None:
    made = commands(signed(f"{SDIST}.sigstore.json", digest=Claim("SHA2_256", "ab")), root="staging")
    assert "python -m sigstore --staging verify identity" in made["sigstore"][0]
    assert "cosign" not in made


def test_the_identity_that_the_certificate_claims_among_the_policys() -> None:
    digest = Claim("SHA2_256", "ab")
    alice = commands(
        signed(f"{SDIST}.sigstore.json", "alice@example.org", "https://accounts.example.org", digest=digest)
    )
    assert "--cert-identity alice@example.org --cert-oidc-issuer https://accounts.example.org" in alice["sigstore"][0]
    for identity, issuer in (
        ("mallory@example.org", ISSUER), (IDENTITY, "https://accounts.example.org"), (IDENTITY + "0", ISSUER), ("", ""),
    ):  # fmt: skip
        assert "sigstore" not in commands(signed(f"{SDIST}.sigstore.json", identity, issuer, digest=digest))


def test_openpgp_and_checksums() -> None:
    made = commands(more=("SHA256SUMS", "SHA256SUMS.asc", f"{SDIST}.asc", "other.asc"))
    assert made["sha256sum"] == ["(cd release && sha256sum --check --strict SHA256SUMS)"]
    assert made["gpg"] == [
        f'gpg --homedir "$work" --import keys/{"AB" * 20}.asc',
        'gpg --homedir "$work" --verify release/SHA256SUMS.asc release/SHA256SUMS',
        f'gpg --homedir "$work" --verify release/{SDIST}.asc release/{SDIST}',
    ]
    assert made["sh"] == [
        'work="$(mktemp -d)"', 'rm -r "$work"',
    ]  # fmt: skip


def test_nothing_is_left_for_a_shell_to_obey() -> None:
    evil = "$(touch evil);`x` 'y'.tar.gz"
    pieces = [signed(f"{evil}.sigstore.json", digest=Claim("SHA2_256", "ab"))]
    pieces.append(signed("-x.intoto.jsonl", statement=over(evil), where="line 1"))
    made = commands(*pieces, folder="-release", more=(evil, f"{evil}.asc", "SHA256SUMS"))
    for line in made["sigstore"] + made["gpg"][1:]:
        assert any(f"./-release/{evil}" in word for word in shlex.split(line))
    assert made["sha256sum"][0].startswith("(cd ./-release ")
