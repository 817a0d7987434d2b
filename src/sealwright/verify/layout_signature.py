"""OpenPGP signatures over in-toto's metadata, judged by GnuPG with the policy's keys like every other one.

Enters: signatures in in-toto's form, and the bytes they sign. Leaves: for whom each counts, or why it does not.
in-toto's own verification asks neither for revocation nor for the key's state now; so each signature is put back into
the OpenPGP packet that it came from, and gpg decides (sealwright.verify.signature_status).
Forms: https://github.com/in-toto/specification/blob/v1.0/in-toto-spec.md#42-file-formats-general-principles, and
RFC 9580, 5.2.3 (https://www.rfc-editor.org/rfc/rfc9580#section-5.2.3)
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sealwright.gnupg.home import Home, private_home
from sealwright.gnupg.listing import Key
from sealwright.model.policy import Policy
from sealwright.verify.openpgp import signer_behind
from sealwright.verify.policy_keys import import_keys
from sealwright.verify.signature_status import Request, judge_signatures

if TYPE_CHECKING:
    from packaging.version import Version

_RSA, _DSA, _EDDSA = (1, 3), (17,), (22, 27)
_SHA256 = 8  # the only digest that in-toto's OpenPGP signatures are made with


class Statement(NamedTuple):
    """One signature in in-toto's form, and the bytes that it should sign."""

    signature: Mapping[str, Any]
    signed: bytes


class Judgement(NamedTuple):
    """The name of the policy's signer for whom it counts and their primary key, or what speaks against it."""

    signer: str
    fingerprint: str
    problem: str = ""


class _MalformedError(ValueError):
    pass


Judge = Callable[[list[Statement]], list[Judgement]]
"""Judges every signature, each by itself, and returns the judgements in the same order. Raises UndecidedError."""


@contextlib.contextmanager
def open_judge(
    policy: Policy, keys: dict[str, bytes], version: "Version | None", now: datetime, gpg: str
) -> Iterator[Judge]:
    """Prepare a private GNUPGHOME with the policy's keys, to judge in.

    Raises PolicyError if a key file is not what the policy says, and UndecidedError if gpg cannot be run.
    """
    with private_home(gpg) as home:
        known = import_keys(home, policy.openpgp_keys(), keys, now)
        yield lambda statements: _judge(statements, home, known, policy, version, now)


def _judge(
    statements: list[Statement], home: Home, known: dict[str, Key], policy: Policy, version: "Version | None",
    now: datetime,
) -> list[Judgement]:  # fmt: skip
    packets: list[bytes | str] = []
    for statement in statements:
        try:
            packets.append(signature_packet(statement.signature, statement.signed))
        except Exception as error:  # noqa: BLE001  whatever stands in the evidence, in place of what should
            packets.append(f"no OpenPGP signature in in-toto's form ({error})"[:300])
    requests = []
    for number, (statement, packet) in enumerate(zip(statements, packets, strict=True)):
        if isinstance(packet, bytes):
            data = home.folder / f"signed-{number}"
            data.write_bytes(statement.signed)
            requests.append(Request(packet, data))
    findings = iter(judge_signatures(home, requests, now) if requests else [])
    judgements = []
    for packet in packets:
        if isinstance(packet, str):
            judgements.append(Judgement("", "", packet))
            continue
        finding = next(findings)
        signer, problem = signer_behind(finding, policy, known, version, now)
        judgements.append(Judgement(signer.name if signer else "", finding.primary, problem))
    return judgements


def signature_packet(signature: Mapping[str, Any], signed: bytes) -> bytes:
    """Return the OpenPGP packet of a signature in in-toto's form. Raises ValueError, and whatever wrong types raise.

    in-toto keeps the part that is hashed (`other_headers`) and the numbers (`signature`), both in hex. The rest, an
    issuer and two octets of the digest, is a hint that gpg looks at first; it is computed anew.
    """
    headers, value, issuer = (bytes.fromhex(signature[key]) for key in ("other_headers", "signature", "keyid"))
    if len(headers) < 6 or headers[0] != 4 or len(headers) != 6 + int.from_bytes(headers[4:6]):
        raise _MalformedError("its headers are damaged")
    if headers[3] != _SHA256:
        raise _MalformedError("its digest is not SHA-256")
    if len(issuer) not in (20, 32):
        raise _MalformedError("it names no full fingerprint")
    digest = hashlib.sha256(signed + headers + b"\x04\xff" + len(headers).to_bytes(4)).digest()
    hint = bytes((9, 16)) + (issuer[-8:] if len(issuer) == 20 else issuer[:8])  # RFC 9580, 5.2.3.12
    body = headers + len(hint).to_bytes(2) + hint + digest[:2] + _numbers(headers[2], value)
    return bytes((0xC2, 255)) + len(body).to_bytes(4) + body


def _numbers(algorithm: int, value: bytes) -> bytes:
    if algorithm in _RSA:
        return _mpi(int.from_bytes(value))
    if algorithm in _EDDSA and len(value) == 64:
        if algorithm == 27:  # RFC 9580, 5.2.3.4: Ed25519 as it is, without lengths
            return value
        return _mpi(int.from_bytes(value[:32])) + _mpi(int.from_bytes(value[32:]))
    if algorithm in _DSA:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        return b"".join(_mpi(number) for number in decode_dss_signature(value))
    raise _MalformedError(f"algorithm {algorithm} with {len(value)} octets")


def _mpi(number: int) -> bytes:
    """A number as OpenPGP writes it (RFC 9580, 3.2)."""
    return number.bit_length().to_bytes(2) + number.to_bytes((number.bit_length() + 7) // 8)
