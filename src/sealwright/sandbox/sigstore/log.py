"""A transparency log that signs its checkpoints: the half that Rekor v1 and v2 share.

Enters: entries, as bytes. Leaves: where each is, and the proof of it. Does not look into an entry, and keeps them all
in memory.
Checkpoints are C2SP signed notes: https://github.com/C2SP/C2SP/blob/main/signed-note.md, tlog-checkpoint.md
"""

import base64
import threading
from typing import NamedTuple

from sealwright.sandbox.faults import Lie
from sealwright.sandbox.sigstore.keys import LogKey
from sealwright.sandbox.sigstore.merkle import MerkleTree


class Logged(NamedTuple):
    """An entry and the proof that it is in the log: hashes of 32 bytes, the checkpoint as a signed note."""

    body: bytes
    position: int
    time: int  # Unix seconds
    size: int
    root: bytes
    proof: tuple[bytes, ...]
    checkpoint: str


class LogNames(NamedTuple):
    """What a log calls itself: `origin` on a checkpoint's first line, `signer` on its signature, `hint` its key."""

    origin: str
    signer: str
    hint: bytes  # the first 4 bytes of the log's id


class Log:
    """Entries in the order in which they came."""

    def __init__(self, key: LogKey, names: LogNames, stranger: LogKey) -> None:
        """Start empty; `stranger` is the key that foreign checkpoints are signed with."""
        self._key = key
        self._names = names
        self._stranger = stranger
        self._lock = threading.Lock()
        self._tree = MerkleTree()
        self._bodies: list[bytes] = []
        self._times: list[int] = []
        self._known: dict[bytes, int] = {}

    def find(self, body: bytes) -> int | None:
        """The index of an entry that is there already, or None."""
        with self._lock:
            return self._known.get(body)

    def append(self, body: bytes, time: int) -> int:
        """Add an entry, or find the same one; `time` is in Unix seconds. Return its index."""
        with self._lock:
            if body in self._known:
                return self._known[body]
            index = self._tree.append(body)
            self._bodies.append(body)
            self._times.append(time)
            self._known[body] = index
            return index

    def find_leaf(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        with self._lock:
            return self._tree.find(leaf_hash)

    def leaf_hash(self, index: int) -> bytes:
        """The hash of an entry as a leaf. Raises IndexError."""
        with self._lock:
            return self._tree.leaf_hash(index)

    def read(self, index: int, lies: frozenset[Lie] = frozenset()) -> Logged:
        """Return an entry with a proof against the present root. Raises IndexError."""
        with self._lock:
            size, root = len(self._tree), self._tree.root()
            proof = self._tree.prove(index)
            body, time = self._bodies[index], self._times[index]
        if Lie.WRONG_PROOF in lies:
            proof = tuple(bytes(reversed(each)) for each in proof)
        key = self._stranger if Lie.FOREIGN_CHECKPOINT in lies else self._key
        noted = bytes(reversed(root)) if Lie.OTHER_CHECKPOINT in lies else root
        return Logged(body, index, time, size, root, proof, self._sign_checkpoint(size, noted, key))

    def head(self) -> tuple[int, bytes, str]:
        """The size, the root and the checkpoint of now."""
        with self._lock:
            size, root = len(self._tree), self._tree.root()
        return size, root, self._sign_checkpoint(size, root, self._key)

    def _sign_checkpoint(self, size: int, root: bytes, key: LogKey) -> str:
        note = f"{self._names.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self._names.hint + key.sign(note.encode())).decode()
        return f"{note}\n\N{EM DASH} {self._names.signer} {signature}\n"
