"""Real OpenPGP keys, made once a session, with the odd states that a verification must see through."""

import hashlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealwright.files.private import base_for
from sealwright.gnupg.home import Home, private_home
from sealwright.gnupg.packets import read_header
from sealwright.sandbox.keys import export_public, export_secret, make_key, run_gpg

PASSPHRASE = "correct horse battery staple"


@dataclass
class Forge:
    """A GNUPGHOME with every secret key that a test asks for."""

    home: Home

    @cached_property
    def alice(self) -> str:
        return make_key(self.home, "Alice")

    @cached_property
    def bob(self) -> str:
        """An RSA primary that only certifies, and a signing subkey."""
        fingerprint = make_key(self.home, "Bob", algorithm="rsa3072", usage="cert")
        self.add_subkey(fingerprint, "rsa3072", "sign")
        return fingerprint

    @cached_property
    def mallory(self) -> str:
        return make_key(self.home, "Mallory")

    def add_subkey(self, fingerprint: str, algorithm: str, usage: str, expires: str = "1y", at: str = "") -> None:
        self.run(
            *_at(at), "--passphrase-fd", "0", "--quick-add-key", fingerprint, algorithm, usage, expires, given=b"\n"
        )

    def key(
        self, name: str, *, algorithm: str = "ed25519", usage: str = "sign", expires: str = "1y", at: str = "",
        options: tuple[str, ...] = (),
    ) -> str:  # fmt: skip
        return make_key(
            self.home, name, algorithm=algorithm, usage=usage, expires=expires, options=(*_at(at), *options)
        )

    def run(self, *arguments: str, given: bytes = b"", check: bool = True) -> bytes:
        return run_gpg(self.home, *arguments, given=given, check=check)

    def public(self, fingerprint: str) -> bytes:
        return export_public(self.home, fingerprint)

    def secret(self, fingerprint: str, passphrase: str = "") -> bytes:
        return export_secret(self.home, fingerprint, passphrase)

    def sign(self, fingerprint: str, content: bytes, *options: str, at: str = "") -> bytes:
        """One armor block over `content`; options such as --textmode make it a bad one."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            arguments = [
                *_at(at),
                "--passphrase-fd",
                "0",
                "--armor",
                "--local-user",
                fingerprint,
                *options,
                "--detach-sign",
            ]
            return self.run(*arguments, "--output", "-", file.name, given=b"\n")

    def sign_by_key_id(self, fingerprint: str, content: bytes, key_id: str) -> bytes:
        """One armor block by an Ed25519 key that names no fingerprint, only that key id, and that outside of what is signed."""
        signing = self._signing(fingerprint)
        hashed = b"\x05\x02" + int(time.time()).to_bytes(4)
        start = b"\x04\x00\x16\x08" + len(hashed).to_bytes(2) + hashed
        digest = hashlib.sha256(content + start + b"\x04\xff" + len(start).to_bytes(4)).digest()
        packet = _signature(signing, start, digest, key_id)
        return self.run("--enarmor", given=packet).replace(b"PGP ARMORED FILE", b"PGP SIGNATURE")

    def end(self, fingerprint: str, after: int) -> bytes:
        """The public key, not armored, of an Ed25519 key, with a newest self-signature by which it ends so many seconds after it was made.

        It holds a critical subpacket that gpg does not know, and so gpg has to take it for bad: RFC 9580, 5.2.3.7.
        """
        public = self.run("--dearmor", given=self.public(fingerprint))
        _, body, end = read_header(public, 0)
        _, name, stop = read_header(public, end)
        hashed = b"\x05\x02" + int(time.time()).to_bytes(4) + b"\x05\x09" + after.to_bytes(4) + b"\x02\x1b\x03"
        hashed += b"\x02\xe4x"  # private or experimental
        start = b"\x04\x13\x16\x08" + len(hashed).to_bytes(2) + hashed
        about = b"\x99" + (end - body).to_bytes(2) + public[body:end]
        about += b"\xb4" + (stop - name).to_bytes(4) + public[name:stop]
        digest = hashlib.sha256(about + start + b"\x04\xff" + len(start).to_bytes(4)).digest()
        packet = _signature(self._signing(fingerprint), start, digest, fingerprint[-16:])
        return public[:stop] + packet + public[stop:]

    def _signing(self, fingerprint: str) -> Ed25519PrivateKey:
        secret = self.run("--dearmor", given=self.secret(fingerprint))
        _, body, end = read_header(secret, 0)
        assert (secret[body], secret[body + 5]) == (4, 22), "a key of version 4, for EdDSA"
        at = body + 7 + secret[body + 6]  # past the curve
        at += 2 + 33
        assert secret[at] == 0, "no passphrase"
        return Ed25519PrivateKey.from_private_bytes(secret[at + 3 : end - 2].rjust(32, b"\0"))

    def revocation(self, fingerprint: str, reason: int, *options: str) -> bytes:
        """The revocation certificate of the primary key."""
        return _revocation(self.home, fingerprint, reason, f"{int(time.time())}!", *options)

    def revoke(self, fingerprint: str, *reasons: int) -> bytes:
        """Revoke the primary key for each reason in turn (RFC 9580 5.2.3.31) in a home of its own; return the public key."""
        with private_home(self.home.program) as home:
            run_gpg(home, "--import", given=self.secret(fingerprint))
            start = int(time.time())  # of two in one second, gpg keeps the first
            made = [_revocation(home, fingerprint, why, f"{start + number}!") for number, why in enumerate(reasons)]
            for certificate in made:
                run_gpg(home, "--import", given=certificate)
            return export_public(home, fingerprint)

    def revoke_subkey(self, fingerprint: str, reason: int, later: int, *options: str) -> bytes:
        """Revoke the first subkey in a home of its own, so many seconds from now; `reason` as gpg's menu counts them."""
        with private_home(self.home.program) as home:
            run_gpg(home, "--import", given=self.secret(fingerprint))
            moment = ["--faked-system-time", f"{int(time.time()) + later}!", *options]
            done = _answer(home, f"key 1\nrevkey\ny\n{reason}\n\ny\nsave\n", *moment, "--edit-key", fingerprint)
            made = export_public(home, fingerprint)
            assert made != self.public(fingerprint), done.stderr.decode()
            return made


def _revocation(home: Home, fingerprint: str, reason: int, at: str, *options: str) -> bytes:
    moment = ["--faked-system-time", at, *options]
    done = _answer(home, f"y\n{reason}\n\ny\n", *moment, "--armor", "--gen-revoke", fingerprint)
    assert b"BEGIN PGP" in done.stdout, done.stderr.decode()
    return done.stdout


def _signature(key: Ed25519PrivateKey, start: bytes, digest: bytes, key_id: str) -> bytes:
    """A signature packet of version 4 over a digest; `start` is its body as far as it is signed."""
    made = key.sign(digest)
    issuer = b"\x09\x10" + bytes.fromhex(key_id)
    packet = start + len(issuer).to_bytes(2) + issuer + digest[:2] + _number(made[:32]) + _number(made[32:])
    return b"\xc2" + bytes([len(packet)]) + packet


def adopt(keys: Forge, victim: str) -> tuple[str, bytes]:
    """Make a key whose signing subkey is the victim's key material; return its fingerprint and public part."""
    listing = keys.run("--with-colons", "--with-keygrip", "--list-keys", victim).decode().splitlines()
    keygrip = next(line.split(":")[9] for line in listing if line.startswith("grp"))
    with private_home(keys.home.program) as home:
        run_gpg(home, "--import", given=keys.secret(victim))
        made = make_key(home, "Carol", usage="cert")
        done = _answer(home, f"addkey\n13\n{keygrip}\nq\n0\nsave\n", "--expert", "--edit-key", made)
        public = export_public(home, made)
        count = run_gpg(home, "--with-colons", "--list-keys", made).decode().count("\nsub:")
        assert count == 1, done.stderr.decode()
        return made, public


def _number(octets: bytes) -> bytes:
    """A multi-precision integer: RFC 9580, 3.2."""
    number = int.from_bytes(octets)
    return number.bit_length().to_bytes(2) + number.to_bytes((number.bit_length() + 7) // 8)


def _answer(home: Home, answers: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run one of gpg's dialogues with prepared answers, one a line."""
    where = ["--homedir", str(home.folder), "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
    command = [home.program, *where, "--command-fd", "0", "--status-fd", "2", "--yes", *arguments]
    return subprocess.run(command, input=answers.encode(), capture_output=True, timeout=300, check=False)


def _at(when: str) -> list[str]:
    return ["--faked-system-time", f"{when.replace('-', '')}T000000!"] if when else []


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def be_quick(home: Path) -> None:
    """Have the agent of this GNUPGHOME protect throw-away keys by few rounds; it would time itself for a second first.

    `s2k-count` (https://www.gnupg.org/documentation/manuals/gnupg/Agent-Options.html) counts bytes; this is the least.
    """
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")


@contextmanager
def forge(program: str) -> Iterator[Forge]:
    with private_home(program) as home:
        be_quick(home.folder)
        yield Forge(home)


@contextmanager
def short_temporary() -> Iterator[str]:
    """A folder for TMPDIR in which a GNUPGHOME has a path that is short enough; what is left there goes with it, an agent, too."""
    with tempfile.TemporaryDirectory(prefix="tests-", dir=base_for(0), ignore_cleanup_errors=True) as folder:
        yield folder


def asc(path: Path) -> Path:
    return path.with_name(path.name + ".asc")
