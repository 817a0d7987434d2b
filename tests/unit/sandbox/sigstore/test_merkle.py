"""The tree against RFC 6962's definition, written down naively, and against the values that every implementation knows."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import examples

from sealwright.sandbox.sigstore.merkle import MerkleTree

# the leaves and the root of the reference tree of Certificate Transparency
REFERENCE = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
REFERENCE_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_proof(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = largest_power_below(len(leaves))
    if index < split:
        return [*naive_proof(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_proof(index - split, leaves[split:]), naive_root(leaves[:split])]


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def tree_of(leaves: list[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for index, leaf in enumerate(leaves):
        assert tree.append(leaf) == index
    return tree


@examples(60)
@given(st.lists(st.binary(max_size=4), max_size=40))
def test_roots_and_proofs_are_those_of_the_definition(leaves: list[bytes]) -> None:
    tree = tree_of(leaves)
    assert len(tree) == len(leaves)
    assert tree.root() == naive_root(leaves)
    for index in range(len(leaves)):
        assert list(tree.prove(index)) == naive_proof(index, leaves)


def test_the_reference_tree() -> None:
    assert tree_of([bytes.fromhex(leaf) for leaf in REFERENCE]).root().hex() == REFERENCE_ROOT


@pytest.mark.parametrize("index", [-1, 3])
def test_nothing_is_proved_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        tree_of([b"a", b"b", b"c"]).prove(index)


def test_a_leaf_is_found_by_its_hash() -> None:
    tree = tree_of([b"a", b"b"])
    assert tree.find(tree.leaf_hash(1)) == 1
    assert tree.find(bytes(32)) is None
