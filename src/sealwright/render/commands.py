"""The command lines with which other programs check the same evidence of a release that verified.

Enters: a policy, the release's version, and what lies in its folder. Leaves: command lines, quoted for a POSIX shell.
Who must have signed is written as the policy says it, with {version} filled in; what a certificate claims only picks
which of the policy's identities to ask for, and which no certificate claims is never asked for at all.
"""

import shlex
from pathlib import PurePath

from sealwright.model.explanation import Command, Explanation, Piece, PieceKind
from sealwright.model.policy import Policy, SigstoreIdentity
from sealwright.model.release import ATTESTATIONS_SUFFIX, CHECKSUMS, OPENPGP_SUFFIX, SIGSTORE_SUFFIX, bundle_target
from sealwright.model.verdict import Result, Verdict
from sealwright.render.text import PLAIN, Style, plain

_FORGE = "https://github.com/"
_GPG = 'gpg --homedir "$work"'
_PRODUCTION, _STAGING = "production", "staging"
# sigstore-python reads a trusted root from a file only as a part of a client trust config.
_TRUST_CONFIG = (
    'import json, sys; v = "application/vnd.dev.sigstore."; print(json.dumps({'
    '"mediaType": v + "clienttrustconfig.v0.1+json", "trustedRoot": json.load(open(sys.argv[1])), '
    '"signingConfig": {"mediaType": v + "signingconfig.v0.2+json"}}))'
)


def release_commands(policy: Policy, version: str, policy_path: str, explanation: Explanation) -> tuple[Command, ...]:
    """Return the commands for the release that `explanation` is of; `version` as its metadata spell it."""
    names = tuple(name for name in explanation.names if name.isprintable())
    place = _Place(explanation.path, str(PurePath(policy_path).parent))
    commands = []
    if CHECKSUMS in names:
        line = f"(cd {place.folder()} && sha256sum --check --strict {CHECKSUMS})"
        commands.append(Command("sha256sum", "the artifacts are those of SHA256SUMS", line))
    commands += _gpg(policy, names, place)
    commands += _sigstore(policy, version, names, place, explanation)
    if any('"$work' in command.line or command.program == "gpg" for command in commands):
        commands.insert(0, Command("sh", "a fresh folder, with no keys but the policy's", 'work="$(mktemp -d)"'))
        commands.append(Command("sh", "put it away", 'rm -r "$work"'))
    return tuple(commands)


def render_commands(verdict: Verdict, commands: tuple[Command, ...], style: Style = PLAIN) -> str:
    """Write the commands, one a line and never wrapped; for a release that did not verify, why there are none."""
    release = plain(f"{verdict.project} {verdict.version}".rstrip())
    policy = (f"  policy {plain(verdict.policy.path)}", f"  fingerprint {verdict.policy.fingerprint}")
    if verdict.result is not Result.PASSED:
        lines = [
            f"THE RELEASE IS {'NOT VERIFIED' if verdict.result is Result.FAILED else 'UNDECIDED'}  {release}",
            f"  no commands are given, since it did not verify (exit code {int(verdict.exit_code)})",
            "  sealwright verify DIR --policy FILE says why",
            *policy,
        ]
    else:
        lines = [
            f"THE RELEASE IS VERIFIED  {release}",
            *policy,
            "  The claims above stay claims. These commands check the same evidence with",
            "  other programs, by the policy's identities and keys. Run them in one shell,",
            "  from the folder that you are in:",
        ]
        said = ""
        for command in commands:
            if command.purpose != said:
                said = command.purpose
                lines += ["", f"# {command.program}: {plain(said)}" if said else f"# {command.program}"]
            lines.append(plain(command.line))
    if style.colour:
        lines[0] = f"\x1b[1;{32 if verdict.result is Result.PASSED else 31}m{lines[0]}\x1b[0m"
    return "\n".join(lines) + "\n"


class _Place:
    """Where the files lie, as arguments for a shell: quoted, and never an option."""

    def __init__(self, folder: str, trust: str) -> None:
        self._folder, self._trust = folder, trust

    def folder(self) -> str:
        return _argument(self._folder)

    def file(self, name: str) -> str:
        return _argument(str(PurePath(self._folder) / name))

    def trusted(self, name: str) -> str:
        return _argument(str(PurePath(self._trust) / name))


def _argument(path: str) -> str:
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _gpg(policy: Policy, names: tuple[str, ...], place: _Place) -> list[Command]:
    signed = [name for name in names if name.endswith(OPENPGP_SUFFIX) and name.removesuffix(OPENPGP_SUFFIX) in names]
    keys = [place.trusted(f"{key.fingerprint}{OPENPGP_SUFFIX}") for key in policy.openpgp_keys()]
    if not signed or not keys:
        return []
    purpose = "it ends with 0 for expired and revoked keys, too, so read what it prints"
    verify = [f"{_GPG} --verify {place.file(name)} {place.file(name.removesuffix(OPENPGP_SUFFIX))}" for name in signed]
    return [Command("gpg", purpose, line) for line in (f"{_GPG} --import {' '.join(keys)}", *verify)]


def _sigstore(
    policy: Policy, version: str, names: tuple[str, ...], place: _Place, explanation: Explanation
) -> list[Command]:
    asked = [
        (piece, identity, files)
        for piece in explanation.pieces
        if piece.kind is PieceKind.BUNDLE and piece.file.endswith((SIGSTORE_SUFFIX, ATTESTATIONS_SUFFIX))
        if (identity := _identity_in(policy, version, piece)) and (files := _signed_files(piece, names))
    ]
    if not asked:
        return []
    commands = _prepare_root(policy, place)
    for piece, identity, files in asked:
        bundle = place.file(piece.file)
        if piece.where:  # a line of a file with several, which only gh reads as it is
            line = piece.where.removeprefix("line ")
            alone = f'"$work"/{shlex.quote(f"{piece.file}.{line}{SIGSTORE_SUFFIX}")}'
            commands.append(Command("sed", f"line {line} of {piece.file} alone", f"sed -n {line}p {bundle} > {alone}"))
            bundle = alone
        for name in files:
            commands += _check_one(policy, version, piece, identity, bundle, place.file(name), place)
    return commands


def _identity_in(policy: Policy, version: str, piece: Piece) -> SigstoreIdentity | None:
    """Find the identity of the policy that the certificate claims to be."""
    if not piece.certificate:
        return None
    names = {name.text for name in piece.certificate.identities}
    for signer in policy.signers:
        for identity in signer.sigstore:
            if identity.identity.expand(version) in names and identity.oidc_issuer in piece.certificate.oidc_issuers:
                return identity
    return None


def _signed_files(piece: Piece, names: tuple[str, ...]) -> list[str]:
    """Return the files of the release that a bundle should be about."""
    if piece.statement:
        return [name for name in dict.fromkeys(s.name for s in piece.statement.subjects) if name in names]
    target = bundle_target(piece.file)
    return [target] if piece.digest and target in names else []


def _prepare_root(policy: Policy, place: _Place) -> list[Command]:
    """Bring a trusted root of the project's own into the forms that other programs read."""
    if policy.sigstore_root in (_PRODUCTION, _STAGING):
        return []
    root = place.trusted(policy.sigstore_root)
    config = f'python -c {shlex.quote(_TRUST_CONFIG)} {root} > "$work"/trust.json'
    line = f'python -m json.tool --compact {root} "$work"/root.jsonl'
    return [
        Command("python", "the policy's trusted root, as sigstore-python reads it", config),
        Command("python", "the same on one line, as gh reads it", line),
    ]


def _check_one(
    policy: Policy, version: str, piece: Piece, identity: SigstoreIdentity, bundle: str, file: str, place: _Place
) -> list[Command]:
    signer, issuer = shlex.quote(identity.identity.expand(version)), shlex.quote(identity.oidc_issuer)
    who = f"--cert-identity {signer} --cert-oidc-issuer {issuer}"
    root = policy.sigstore_root
    instance = {_PRODUCTION: "", _STAGING: " --staging"}.get(root, ' --trust-config "$work"/trust.json')
    kind = piece.statement.predicate_type if piece.statement else ""
    about = f"{piece.file}{', ' + piece.where if piece.where else ''}{', ' + kind if kind else ''}"
    lines = [("sigstore", f"python -m sigstore{instance} verify identity --bundle {bundle} {who} {file}")]
    if root != _STAGING:  # cosign and gh know no staging instance without a file
        trusted = "" if root == _PRODUCTION else f" --trusted-root {place.trusted(root)}"
        blob = f"verify-blob-attestation --type {shlex.quote(kind)}" if kind else "verify-blob"
        asked = f"--bundle {bundle} --new-bundle-format{trusted}"
        asked += f" --certificate-identity {signer} --certificate-oidc-issuer {issuer}"
        lines.append(("cosign", f"cosign {blob} {asked} {file}"))
    claimed, ref = identity.claim("source-repository"), identity.claim("source-ref")
    repository = claimed.expand(version) if claimed else policy.repository
    if kind and root != _STAGING and repository.startswith(_FORGE):  # gh refuses bundles that sign the file itself
        named = repository.removeprefix(_FORGE).removesuffix(".git").strip("/")
        more = "" if root == _PRODUCTION else ' --custom-trusted-root "$work"/root.jsonl'
        if ref:
            more += f" --source-ref {shlex.quote(ref.expand(version))}"
        asked = f"--bundle {bundle} --repo {shlex.quote(named)} {who} --predicate-type {shlex.quote(kind)}{more}"
        lines.append(("gh", f"gh attestation verify {file} {asked}"))
    return [Command(program, about, line) for program, line in lines]
