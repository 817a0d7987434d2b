"""Throw-away OpenPGP keys and the trust folder that lists them.

Enters: a GNUPGHOME of the sandbox's own. Leaves: fingerprints, armored keys, a keys/ folder. A key from here is
worth nothing: nobody else's policy lists it.
"""

import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sealwright.errors import UndecidedError
from sealwright.gnupg.home import Home, environment


def run_gpg(home: Home, *arguments: str, given: bytes = b"", check: bool = True) -> bytes:
    """Run gpg with an agent, as its owner would, and return its output. Raises UndecidedError if it fails."""
    command = [
        home.program,
        "--homedir",
        str(home.folder),
        "--no-options",
        "--batch",
        "--yes",
        "--pinentry-mode",
        "loopback",
        *arguments,
    ]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, env=environment(), check=False)
    if check and done.returncode:
        raise UndecidedError(f"gpg failed in the sandbox: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def make_key(
    home: Home,
    name: str,
    *,
    algorithm: str = "ed25519",
    usage: str = "sign",
    expires: str = "1y",
    passphrase: str = "",
    options: Sequence[str] = (),
) -> str:
    """Make a key and return the fingerprint of its primary key."""
    before = _fingerprints(home)
    made = [
        *options,
        "--passphrase-fd",
        "0",
        "--quick-generate-key",
        f"{name} <{name.lower().replace(' ', '.')}@example.invalid>",
        algorithm,
        usage,
        expires,
    ]
    run_gpg(home, *made, given=passphrase.encode() + b"\n")
    return (set(_fingerprints(home)) - set(before)).pop()


def _fingerprints(home: Home) -> list[str]:
    """The fingerprints of the primary keys: the first fpr record after each pub record."""
    found: list[str] = []
    expected = False
    for line in run_gpg(home, "--with-colons", "--list-keys").decode().splitlines():
        record = line.split(":")
        if record[0] == "pub":
            expected = True
        elif record[0] == "fpr" and expected:
            found.append(record[9])
            expected = False
    return found


def export_public(home: Home, fingerprint: str) -> bytes:
    """Return the armored public key."""
    return run_gpg(home, "--armor", "--export", fingerprint)


def export_secret(home: Home, fingerprint: str, passphrase: str = "") -> bytes:
    """Return the armored secret key, still protected by its passphrase."""
    return run_gpg(
        home, "--armor", "--passphrase-fd", "0", "--export-secret-keys", fingerprint, given=passphrase.encode() + b"\n"
    )


def write_trust_folder(
    folder: Path,
    project: str,
    signers: dict[str, str],
    keys: dict[str, bytes],
    expires: datetime,
    *,
    threshold: int = 1,
    identities: dict[str, dict[str, str]] | None = None,
    root: bytes = b"",
) -> Path:
    """Write keys/ with a policy that lists each signer's OpenPGP key, and return the policy's path.

    `identities` are signers with the keys of their [[signer.sigstore]], all of whom must sign, too; `root` is then the
    trusted root that judges them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    policy = folder / "policy.toml"
    keyless = identities or {}
    listed = [_signer(name, "openpgp", {"fingerprint": fingerprint}) for name, fingerprint in signers.items()]
    listed += [_signer(name, "sigstore", lines) for name, lines in keyless.items()]
    policy.write_text(
        f'schema = 1\nproject = "{project}"\nrepository = "https://example.invalid/{project}"\nversion = 1\n'
        f"expires = {expires:%Y-%m-%dT%H:%M:%SZ}\n"
        f'sigstore-root = "{"trusted_root.json" if root else "production"}"\n\n'
        '[places]\nartifacts = "index"\nevidence = "index"\n\n'
        '[release]\ntag = "v{version}"\n\n'
        f"[require]\nsigners = {threshold + len(keyless)}\nopenpgp = {threshold}\nsigstore = {len(keyless)}\n"
        "release = false\nprovenance = false\nsbom = false\naudit = false\nlayout = false\n" + "".join(listed)
    )
    if root:
        (folder / "trusted_root.json").write_bytes(root)
    for fingerprint, content in keys.items():
        (folder / f"{fingerprint}.asc").write_bytes(content)
    return policy


def _signer(name: str, kind: str, keys: dict[str, str]) -> str:
    lines = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    return f'\n[[signer]]\nname = "{name}"\n[[signer.{kind}]]\n{lines}'
