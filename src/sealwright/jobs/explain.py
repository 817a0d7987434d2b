"""What does this piece of evidence say? Read, never verified; and if a policy is given, whether the release verifies.

Enters: a path, and perhaps a trust folder. Leaves: an `Explanation`, and the release's verdict if there was a policy.
Nothing that evidence says goes into the verdict. Opens no connection, starts no program but gpg for the verdict.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from sealwright.collect.claims.intoto_claims import read_intoto_json
from sealwright.collect.claims.json_claims import Problems
from sealwright.collect.claims.openpgp_claims import read_signature_packet
from sealwright.collect.claims.sigstore_claims import UnknownEvidenceError, read_sigstore_json
from sealwright.errors import UndecidedError, UsageError
from sealwright.files.digest import Progress, no_progress
from sealwright.files.reading import UnfitFileError, read_bounded, read_named, reason
from sealwright.gnupg.packets import PacketError
from sealwright.jobs.verify.release import Clock, verify_folder
from sealwright.jobs.verify.remembering import check_policy_seen, pinned_trust
from sealwright.model.explanation import Claim, Explanation, Piece, PieceKind
from sealwright.model.release import (
    ATTESTATIONS_SUFFIX,
    CHECKSUMS,
    LAYOUT,
    LINK_SUFFIX,
    MAX_BUNDLE_BYTES,
    MAX_LAYOUT_BYTES,
    MAX_LINK_BYTES,
    OPENPGP_SUFFIX,
    SIGSTORE_SUFFIX,
)
from sealwright.model.verdict import Verdict
from sealwright.store.seen import read_seen
from sealwright.store.trust_folder import TrustFolder
from sealwright.verify.armor import MAX_SIGNATURE_FILE_BYTES, Malformed, SignaturePacket, split_signatures
from sealwright.verify.checksums import MAX_CHECKSUMS_BYTES, ChecksumsError, parse_checksums

_LINES_SUFFIX = ".jsonl"
_LAYOUT_SUFFIX = LAYOUT.removeprefix("root")  # a layout may be called otherwise before it is released
_JSON_SUFFIXES = (SIGSTORE_SUFFIX, ".sigstore", ATTESTATIONS_SUFFIX, ".attestation", ".provenance")
_SUMS = re.compile(rb"[0-9a-f]{64} [ *]")
_ARMOR, _KEY = b"-----BEGIN PGP SIG", b"-----BEGIN PGP P"  # PUBLIC KEY BLOCK, PRIVATE KEY BLOCK
_PACKET_HEADER = 6  # as sealwright.verify.armor frames each packet
_MAX_LINES = 1_000
_MAX_FOLDER_BYTES = 4 * 1024**2  # a second of work, at worst
_MAX_PIECES = 1_000
_MAX_ENTRIES = 10_000
_HINT = (
    "It explains Sigstore bundles, PEP 740 attestations, .intoto.jsonl, .asc signatures, SHA256SUMS, "
    "in-toto layouts and links, and folders that hold some."
)


class Explained(NamedTuple):
    """What evidence says, and the verdict on the release, if a policy was given."""

    explanation: Explanation
    verdict: Verdict | None = None


def explain(path: Path) -> Explanation:
    """Read the evidence at `path`, a file or a folder.

    Raises UsageError if it is missing or nothing that is known, and UndecidedError if the system refuses to read it.
    """
    if os.path.isdir(path):
        return _explain_folder(path)
    content = read_named(path, _limit(path.name), "the evidence", _HINT)
    try:
        pieces = _explain_content(path.name, content)
    except UnknownEvidenceError as error:
        raise UsageError(f"{path} is {error}", _HINT) from error
    if not _is_evidence(path.name) and all(piece.kind is PieceKind.UNREADABLE for piece in pieces):
        raise UsageError(f"{path} is no evidence of a known kind", _HINT)
    return Explanation(str(path), False, pieces)


def explain_release(
    folder: Path, trust: TrustFolder, *, data: Path, clock: Clock, gpg: str | None, progress: Progress = no_progress
) -> Explained:  # fmt: skip
    """Read the evidence in a release folder, and judge the release by what is remembered in `data`, too; moves nothing.

    Raises what `explain` and `verify_folder` raise, and UndecidedError if memory or a pin cannot be read.
    """
    if not os.path.isdir(folder):
        raise UsageError(f"{folder} is not a folder", "A policy judges a whole release: name its folder.")
    seen = read_seen(data, trust.policy.project)
    recalled = seen.counting(trust.substance)
    verdict = verify_folder(folder, trust, asked=None, clock=clock, gpg=gpg, progress=progress, remembered=recalled)
    checks = check_policy_seen(seen, pinned_trust(data, trust.policy.project), trust)
    return Explained(_explain_folder(folder), verdict._replace(checks=(*verdict.checks, *checks)))


def _is_evidence(name: str) -> bool:
    return name == CHECKSUMS or name.endswith((OPENPGP_SUFFIX, *_JSON_SUFFIXES)) or _is_intoto(name)


def _is_intoto(name: str) -> bool:
    return name.endswith((_LAYOUT_SUFFIX, LINK_SUFFIX))


def _limit(name: str) -> int:
    if name.endswith(OPENPGP_SUFFIX):
        return MAX_SIGNATURE_FILE_BYTES
    if _is_intoto(name):
        return MAX_LAYOUT_BYTES if name.endswith(_LAYOUT_SUFFIX) else MAX_LINK_BYTES
    return MAX_CHECKSUMS_BYTES if name == CHECKSUMS else MAX_BUNDLE_BYTES


def _explain_folder(folder: Path) -> Explanation:
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UndecidedError(f"{folder} cannot be read: {reason(error)}") from error
    try:
        names = sorted(os.listdir(directory))
        evidence = [name for name in names if _is_evidence(name)]
        if not evidence:
            raise UsageError(f"{folder} holds no evidence of a known kind", _HINT)
        if len(names) > _MAX_ENTRIES:
            raise UsageError(f"{folder} has more than {_MAX_ENTRIES:,} entries", "Name a single file.")
        pieces: list[Piece] = []
        room = _MAX_FOLDER_BYTES
        for name in evidence:
            read, size = _explain_entry(directory, name, room if len(pieces) < _MAX_PIECES else 0)
            pieces += read
            room -= size
        return Explanation(str(folder), True, tuple(pieces), tuple(names))
    finally:
        os.close(directory)


def _explain_entry(directory: int, name: str, room: int) -> tuple[tuple[Piece, ...], int]:
    """Read one file of a folder, if it has at most `room` bytes. Return its pieces and its size in bytes."""
    if room <= 0:
        return (_unreadable(name, "there is too much evidence in this folder; name this file alone"),), 0
    try:
        content = read_bounded(name, min(_limit(name), room), folder=directory)
    except UnfitFileError as error:
        return (_unreadable(name, f"it is {error}"),), 0
    except OSError as error:
        return (_unreadable(name, reason(error)),), 0
    try:
        return _explain_content(name, content), len(content)
    except UnknownEvidenceError as error:
        return (_unreadable(name, str(error)),), len(content)


def _explain_content(name: str, content: bytes) -> tuple[Piece, ...]:
    if content.lstrip().startswith(_KEY):
        raise UnknownEvidenceError("an OpenPGP key, not evidence")
    if name == CHECKSUMS or _SUMS.match(content):
        return (_checksums(name, content),)
    if name.endswith(OPENPGP_SUFFIX) or content.lstrip().startswith(_ARMOR):
        return tuple(
            _signature(name, f"signature {number}", found) for number, found in enumerate(split_signatures(content), 1)
        )
    if name.endswith(_LINES_SUFFIX):
        return _lines(name, content)
    if _is_intoto(name):
        return (read_intoto_json(name, content),)
    return read_sigstore_json(name, content)


def _checksums(name: str, content: bytes) -> Piece:
    try:
        lines = parse_checksums(content)
    except ChecksumsError as error:
        return _unreadable(name, str(error))
    return Piece(name, PieceKind.CHECKSUMS, checksums=tuple(Claim(line.name, line.sha256) for line in lines))


def _signature(name: str, where: str, found: SignaturePacket | Malformed) -> Piece:
    if isinstance(found, Malformed):
        return _unreadable(name, found.reason, where)
    try:
        claims = read_signature_packet(found.packet[_PACKET_HEADER:])
    except PacketError as error:
        return _unreadable(name, str(error), where)
    return Piece(name, PieceKind.OPENPGP, where, openpgp=claims)


def _lines(name: str, content: bytes) -> tuple[Piece, ...]:
    """Read one document a line. Nothing but \\n ends a line: what else Unicode calls one may stand in a text."""
    lines = content.removesuffix(b"\n").split(b"\n", _MAX_LINES)
    pieces: list[Piece] = []
    for number, line in enumerate(lines[:_MAX_LINES], 1):
        where = f"line {number}"
        try:
            pieces += read_sigstore_json(name, line, where)
        except UnknownEvidenceError as error:
            pieces.append(_unreadable(name, str(error), where))
    if len(lines) > _MAX_LINES:
        pieces.append(_unreadable(name, f"there are more than {_MAX_LINES:,} lines", "the rest"))
    return tuple(pieces)


def _unreadable(name: str, why: str, where: str = "") -> Piece:
    problems = Problems()
    problems.note(where or "it", why)
    return Piece(name, PieceKind.UNREADABLE, where, problems=tuple(problems))
