"""Trees are those of RFC 6962, and their proofs hold for what they prove and for nothing else."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikei.errors import ProofInvalid
from haikei.ledger.tree import (
    EMPTY,
    Frontier,
    check_consistency,
    consistency_path,
    inclusion_path,
    node_hash,
    root_from_inclusion,
    root_of,
)

#: The inputs and roots that implementations of Certificate Transparency test with.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(min_value=1, max_value=100)


class Tree:
    """A tree with all its complete subtrees, to prove from."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            row = self.levels[-1]
            self.levels.append(
                [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
            )

    def __call__(self, level: int, index: int) -> bytes:
        return self.levels[level][index]


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\0%d" % number).digest() for number in range(count)]


def flipped(value: bytes, at: int) -> bytes:
    changed = bytearray(value)
    changed[at % len(value)] ^= 1 << at % 8
    return bytes(changed)


def test_the_roots_are_those_that_others_compute() -> None:
    tree = Frontier()
    assert tree.root().hex() == hashlib.sha256(b"").hexdigest()

    for data, root in zip(INPUTS, ROOTS, strict=True):
        tree.append(hashlib.sha256(b"\0" + data).digest())
        assert tree.root().hex() == root


@given(size=SIZES)
def test_a_growing_tree_completes_every_subtree_once(size: int) -> None:
    whole = Tree(leaves(size))
    tree = Frontier()
    completed: dict[tuple[int, int], bytes] = {}

    for leaf in leaves(size):
        for level, index, value in tree.append(leaf):
            assert (level, index) not in completed
            completed[level, index] = value

    assert len(completed) == sum(len(level) for level in whole.levels[1:])
    assert all(whole(*place) == value for place, value in completed.items())
    assert tree.root() == root_of(size, whole)


@given(size=SIZES, data=st.data())
def test_every_inclusion_proof_holds_and_no_changed_one(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(leaves(size))
    leaf, root = tree(0, index), root_of(size, tree)
    path = inclusion_path(index, size, tree)

    assert root_from_inclusion(leaf, index, size, path) == root

    bit = data.draw(st.integers(0, 255))
    assert root_from_inclusion(flipped(leaf, bit), index, size, path) != root
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:at], flipped(path[at], bit), *path[at + 1 :]]
        assert root_from_inclusion(leaf, index, size, wrong) != root
        with pytest.raises(ProofInvalid, match="short"):
            root_from_inclusion(leaf, index, size, path[:-1])
    with pytest.raises(ProofInvalid, match="long"):
        root_from_inclusion(leaf, index, size, [*path, root])
    with pytest.raises(ProofInvalid, match="no entry"):
        root_from_inclusion(leaf, size, size, path)


@given(size=SIZES, data=st.data())
def test_every_consistency_proof_holds_and_no_changed_one(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    tree = Tree(leaves(size))
    before, after = root_of(old, tree), root_of(size, tree)
    path = consistency_path(old, size, tree)

    check_consistency(old, before, size, after, path)

    bit = data.draw(st.integers(0, 255))
    wrongs = [(flipped(before, bit), after, path)]
    if old:
        wrongs.append((before, flipped(after, bit), path))
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        wrongs += [
            (before, after, [*path[:at], flipped(path[at], bit), *path[at + 1 :]]),
            (before, after, path[:-1]),
            (before, after, [*path, after]),
        ]
    for wrong_before, wrong_after, wrong_path in wrongs:
        with pytest.raises(ProofInvalid):
            check_consistency(old, wrong_before, size, wrong_after, wrong_path)


def test_a_larger_tree_is_no_beginning_of_a_smaller_one() -> None:
    with pytest.raises(ProofInvalid):
        check_consistency(3, EMPTY, 2, EMPTY, [])
    with pytest.raises(ValueError, match="no beginning"):
        consistency_path(3, 2, Tree(leaves(2)))
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_path(2, 2, Tree(leaves(2)))
