"""What evidence says of itself, taken at its word. Nothing here was verified, and nothing here may decide anything.

Enters: nothing. Leaves: the records that sealwright.collect fills from evidence and sealwright.render shows, always
marked as claims. Times are texts, `YYYY-MM-DD HH:MM:SS UTC`; whatever is absent is an empty text.
"""

from enum import Enum
from typing import NamedTuple

from sealwright.errors import ExitCode


class PieceKind(Enum):
    """The kinds of evidence that can be explained."""

    BUNDLE = "Sigstore bundle"
    ATTESTATION = "PEP 740 attestation"
    ENVELOPE = "DSSE envelope"
    OPENPGP = "OpenPGP signature"
    CHECKSUMS = "checksums"
    LAYOUT = "in-toto layout"
    LINK = "in-toto link"
    UNREADABLE = "unreadable"


class Claim(NamedTuple):
    """Something that evidence says: what it is about, and the words as they stand there, unescaped."""

    label: str
    text: str


class Extension(NamedTuple):
    """One of Fulcio's extensions of a certificate, by its object identifier and its standard name."""

    oid: str
    name: str
    text: str


class Certificate(NamedTuple):
    """A signing certificate. `identities` are labelled with the type of name, `scts` counts its SCTs."""

    identities: tuple[Claim, ...] = ()
    oidc_issuers: tuple[str, ...] = ()
    not_before: str = ""
    not_after: str = ""
    issued_by: str = ""
    extensions: tuple[Extension, ...] = ()
    scts: int = 0


class LogEntry(NamedTuple):
    """An entry of a transparency log. `log_id` in hex; `time` is the integrated time."""

    kind: str
    log_index: str
    log_id: str
    time: str
    proof: bool
    promise: bool
    checkpoint: bool
    tree_size: str


class Subject(NamedTuple):
    """What a statement is about; the digests are labelled with their algorithms."""

    name: str
    digests: tuple[Claim, ...]


class StatementClaims(NamedTuple):
    """An in-toto statement; `predicate` is a short reading of the predicates that are known."""

    type: str
    predicate_type: str
    subjects: tuple[Subject, ...]
    predicate: tuple[Claim, ...]


class OpenPGPClaims(NamedTuple):
    """What one signature packet states. `fingerprint` and `key_id` in upper-case hex."""

    version: int
    signature_class: str
    key_algorithm: str
    digest_algorithm: str
    fingerprint: str
    key_id: str
    created: str


class Piece(NamedTuple):
    """One piece of evidence. `where` tells pieces of one file apart; `problems` say what of it could not be read."""

    file: str
    kind: PieceKind
    where: str = ""
    media_type: str = ""
    certificate: Certificate | None = None
    log_entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[str, ...] = ()
    digest: Claim | None = None
    payload_type: str = ""
    statement: StatementClaims | None = None
    openpgp: OpenPGPClaims | None = None
    checksums: tuple[Claim, ...] = ()
    more: tuple[Claim, ...] = ()
    problems: tuple[str, ...] = ()


class Explanation(NamedTuple):
    """Every piece of evidence in a file or, if `is_folder`, in a folder; `names` are all files of the folder."""

    path: str
    is_folder: bool
    pieces: tuple[Piece, ...]
    names: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """DONE if all of it could be read: no more than that."""
        return ExitCode.UNDECIDED if any(piece.problems for piece in self.pieces) else ExitCode.DONE


class Command(NamedTuple):
    """A command line of another program that checks the same evidence, quoted for a shell, and what it is for."""

    program: str
    purpose: str
    line: str
