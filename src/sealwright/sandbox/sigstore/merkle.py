"""A Merkle tree that only grows, and proofs that something is in it.

Enters: leaves, as bytes. Leaves: roots and inclusion proofs, as 32-byte SHA-256 hashes. Keeps no leaf, only hashes.
The hashing is RFC 6962's, https://www.rfc-editor.org/rfc/rfc6962#section-2.1. Not for several threads at once:
`log.py` holds a lock.
"""

import hashlib


def hash_leaf(leaf: bytes) -> bytes:
    """Hash a leaf; the prefix keeps it from being taken for a node. RFC 6962, 2.1."""
    return hashlib.sha256(b"\0" + leaf).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash a node. RFC 6962, 2.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


class MerkleTree:
    """Level n holds the hashes of the complete subtrees of 2**n leaves, so that a proof costs log² n look-ups."""

    def __init__(self) -> None:
        """Start empty."""
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add a leaf and return its index, from 0."""
        self._levels[0].append(hash_leaf(leaf))
        level = 0
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(hash_children(*self._levels[level][-2:]))
            level += 1
        return len(self) - 1

    def leaf_hash(self, index: int) -> bytes:
        """The hash of the leaf at an index."""
        return self._levels[0][index]

    def find(self, leaf_hash: bytes) -> int | None:
        """The index of the leaf with this hash, or None."""
        return self._levels[0].index(leaf_hash) if leaf_hash in self._levels[0] else None

    def root(self) -> bytes:
        """The root over all leaves; SHA-256 of nothing for an empty tree. RFC 6962, 2.1."""
        return self._subtree(0, len(self)) if len(self) else hashlib.sha256(b"").digest()

    def prove(self, index: int) -> tuple[bytes, ...]:
        """Prove that the leaf at `index` is under the present root, from the leaf upwards. Raises IndexError.

        RFC 9162, 2.1.3.1: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.1
        """
        if not 0 <= index < len(self):
            raise IndexError(f"no leaf {index} in a tree of {len(self)}")
        proof: list[bytes] = []
        start, end = 0, len(self)
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._subtree(middle, end))
                end = middle
            else:
                proof.append(self._subtree(start, middle))
                start = middle
        return tuple(reversed(proof))

    def _subtree(self, start: int, end: int) -> bytes:
        """The hash over the leaves from `start` up to `end`, where RFC 9162's split can put such a range."""
        size = end - start
        if size & (size - 1) == 0 and start % size == 0:
            return self._levels[size.bit_length() - 1][start // size]
        middle = start + _split(size)
        return hash_children(self._subtree(start, middle), self._subtree(middle, end))


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
