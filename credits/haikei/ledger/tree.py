"""
Merkle trees over records: hashes, inclusion proofs and consistency proofs.

Source: RFC 9162, section 2.1, whose trees are those of RFC 6962. All functions are pure; hashes
are 32 bytes of SHA-256.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from haikei.errors import ProofInvalid

#: The root of a tree without leaves.
EMPTY = hashlib.sha256(b"").digest()
#: The root of the complete subtree over leaves [index * 2**level, (index + 1) * 2**level).
Subtree = Callable[[int, int], bytes]


def leaf_hash(payload: str) -> bytes:
    """Return the leaf of a record: SHA-256 of 0x00 and its canonical JSON in UTF-8."""
    return hashlib.sha256(b"\0" + payload.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01 and its two children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the nodes above neighbouring nodes of one level; an odd last one has none yet."""
    sha256 = hashlib.sha256
    pairs = zip(hashes[::2], hashes[1::2], strict=False)
    return [sha256(b"\1" + left + right).digest() for left, right in pairs]


class Frontier:
    """
    The peaks of a growing tree: all that is needed to append and to know the root.

    Args:
        size: how many leaves there are already.
        peaks: roots of the complete subtrees that make up the tree, the widest first.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf; return the inner nodes that it completes, as level, index and hash."""
        completed: list[tuple[int, int, bytes]] = []
        level, index, here = 0, self.size, leaf
        while index % 2:
            here = node_hash(self._peaks.pop(), here)
            level, index = level + 1, index // 2
            completed.append((level, index, here))
        self._peaks.append(here)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return _bagged(self._peaks)


def peak_places(size: int) -> list[tuple[int, int]]:
    """Return level and index of the complete subtrees that make up a tree, the widest first."""
    levels = [level for level in range(size.bit_length()) if size >> level & 1]
    return [(level, (size >> level) - 1) for level in reversed(levels)]


def root_of(size: int, subtree: Subtree) -> bytes:
    """Return the root over the first `size` leaves."""
    return _bagged([subtree(level, index) for level, index in peak_places(size)])


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """
    Return the proof that leaf `index` is in the tree of `size` leaves, the nearest hash first.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        message = f"a tree of {size} leaves has no leaf {index}"
        raise ValueError(message)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """
    Return the proof that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ValueError: the older tree is larger, or negative.
    """
    if not 0 <= old <= new:
        message = f"a tree of {new} leaves has no beginning of {old}"
        raise ValueError(message)
    if old in {0, new}:
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(_range(start, end, subtree))
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """
    Return the root that a leaf and its proof lead to (RFC 9162, section 2.1.3.2).

    Raises:
        ProofInvalid: the proof has not the length that this place in the tree needs.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"A tree of {size} entries has no entry {index}.")
    place, last, here = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofInvalid("The inclusion proof is too long.")
        if place & 1 or place == last:
            here = node_hash(sibling, here)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            here = node_hash(here, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("The inclusion proof is too short.")
    return here


def check_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """
    Check that a tree begins with an older one (RFC 9162, section 2.1.4.2).

    Raises:
        ProofInvalid: it does not, or the proof does not show it.
    """
    if old > new:
        raise ProofInvalid(f"A tree of {new} entries cannot begin with {old} entries.")
    if old in {0, new}:
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY):
            raise ProofInvalid("The two trees are not consistent.")
        return
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        raise ProofInvalid("The consistency proof is empty.")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalid("The consistency proof is too long.")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last or before != old_root or after != new_root:
        raise ProofInvalid("The two trees are not consistent.")


def _bagged(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY
    here = peaks[-1]
    for peak in reversed(peaks[:-1]):
        here = node_hash(peak, here)
    return here


def _range(start: int, end: int, subtree: Subtree) -> bytes:
    # `start` is always a multiple of the widest complete subtree below it.
    peaks: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(subtree(level, start >> level))
        start += 1 << level
    return _bagged(peaks)


def _split(count: int) -> int:
    # The largest power of two that is smaller than the count.
    return 1 << (count - 1).bit_length() - 1
