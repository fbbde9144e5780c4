"""Align two traces: match each span of one with the same step of the other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from observatory.schemas.journey import Row

Key = tuple[str | None, str, str]
KEY_BYTES = 10


@dataclass(eq=False)
class Pair:
    """A step that both traces have, or only one of them.

    ``key`` identifies the step by its place in the tree; ``children`` are the steps below it.
    """

    left: Row | None
    right: Row | None
    key: str = ""
    depth: int = 0
    children: "list[Pair]" = field(default_factory=list)

    @property
    def row(self) -> Row:
        """The left row if there is one, otherwise the right one."""
        row = self.left or self.right
        if row is None:
            raise LookupError("a pair has at least one side")
        return row


def aligned(left: Sequence[Row], right: Sequence[Row]) -> Iterator[Pair]:
    """Yield every span of both traces once, parents before children, siblings in order of time.

    Two spans are the same step when their hop, service and name are equal and their parents are the
    same step. Equal siblings are matched in order of time. The first span of a leg whose parent is
    missing in one trace is matched wherever it is in the other.
    """
    left_tree, right_tree = Tree(left), Tree(right)
    pairs = _paired(left_tree, right_tree, _matches(left_tree, right_tree))
    stack = pairs[::-1]
    while stack:
        pair = stack.pop()
        yield pair
        stack.extend(reversed(pair.children))


class Tree:
    """The spans of one trace as a tree, siblings in order of time."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._by_id = {row["span_id"]: row for row in rows}
        self._parents: dict[str, str] = {}
        self._children: defaultdict[str | None, list[Row]] = defaultdict(list)
        in_time = sorted(rows, key=lambda row: row["offset_ms"])
        for row in in_time:
            parent = row["parent_span_id"]
            if parent in self._by_id and parent is not None:
                self._parents[row["span_id"]] = parent
                self._children[parent].append(row)
            else:
                self._children[None].append(row)
        reached = {row["span_id"] for row in self.walk(self._children[None])}
        for row in in_time:
            if row["span_id"] not in reached:  # part of a cycle of parents
                self._children[self._parents.pop(row["span_id"])].remove(row)
                self._children[None].append(row)
                reached.update(descendant["span_id"] for descendant in self.walk([row]))

    @property
    def roots(self) -> list[Row]:
        """The spans without a stored parent."""
        return self._children[None]

    def children(self, row: Row) -> list[Row]:
        """Return the children of ``row``."""
        return self._children[row["span_id"]]

    def parent(self, row: Row) -> Row | None:
        """Return the parent of ``row``; None for a root."""
        parent = self._parents.get(row["span_id"])
        return self._by_id[parent] if parent is not None else None

    def walk(self, tops: Iterable[Row]) -> Iterator[Row]:
        """Yield ``tops`` and their descendants, parents first."""
        stack = list(tops)[::-1]
        while stack:
            row = stack.pop()
            yield row
            stack.extend(reversed(self.children(row)))


def _matches(left: Tree, right: Tree) -> dict[str, Row]:
    """Return the matching right span by left span id."""
    matches: dict[str, Row] = {}
    matched_right: set[str] = set()

    def match_subtrees(left_siblings: list[Row], right_siblings: list[Row]) -> None:
        pending = [(left_siblings, right_siblings)]
        while pending:
            candidates = defaultdict(list)
            left_siblings, right_siblings = pending.pop()
            for row in reversed(right_siblings):
                if row["span_id"] not in matched_right:
                    candidates[_key(row)].append(row)
            for row in left_siblings:
                if row["span_id"] not in matches and candidates[_key(row)]:
                    match = candidates[_key(row)].pop()
                    matches[row["span_id"]] = match
                    matched_right.add(match["span_id"])
                    pending.append((left.children(row), right.children(match)))

    match_subtrees(left.roots, right.roots)
    unmatched_legs = defaultdict(list)  # of the right trace, by the key of their first span
    for row in right.walk(right.roots):
        if row["span_id"] not in matched_right and row["indent"] == 0:
            unmatched_legs[_key(row)].append(row)
    for row in left.walk(left.roots):
        if row["span_id"] not in matches and row["indent"] == 0 and _key(row) in unmatched_legs:
            match_subtrees([row], unmatched_legs[_key(row)])
    return matches


def _paired(left: Tree, right: Tree, matches: dict[str, Row]) -> list[Pair]:
    """Return the root pairs.

    A pair's parent is the pair of its left span's parent, or of its right span's if it has no left.
    """
    by_left_id: dict[str, Pair] = {}
    by_right_id: dict[str, Pair] = {}
    for row in left.walk(left.roots):
        pair = by_left_id[row["span_id"]] = Pair(row, matches.get(row["span_id"]))
        if pair.right is not None:
            by_right_id[pair.right["span_id"]] = pair
    for row in right.walk(right.roots):
        by_right_id.setdefault(row["span_id"], Pair(None, row))
    top: list[Pair] = []
    only_right = [pair for pair in by_right_id.values() if pair.left is None]
    for pair in [*by_left_id.values(), *only_right]:
        if pair.left is not None:
            parent = left.parent(pair.left)
            parent_pair = by_left_id[parent["span_id"]] if parent else None
        else:
            parent = right.parent(pair.row)
            parent_pair = by_right_id[parent["span_id"]] if parent else None
        (parent_pair.children if parent_pair else top).append(pair)
    _set_places(top)
    return top


def _set_places(top: list[Pair]) -> None:
    """Sort siblings by time, and set the depth and key of each pair."""
    stack = [(top, "", 0)]
    while stack:
        pairs, parent_key, depth = stack.pop()
        pairs[:] = _in_order(pairs)
        numbers: defaultdict[Key, int] = defaultdict(int)
        for pair in pairs:
            step = _key(pair.row)
            numbers[step] += 1
            pair.key = _digest(parent_key, *step, numbers[step])
            pair.depth = depth
            stack.append((pair.children, pair.key, depth + 1))


def _digest(*parts: str | int | None) -> str:
    # A hash, because the paths of a chain of n spans would take n squared characters.
    return blake2b(repr(parts).encode("utf-8", "replace"), digest_size=KEY_BYTES).hexdigest()


def _in_order(pairs: list[Pair]) -> list[Pair]:
    """Sort siblings by their start in the left trace.

    A pair without a left span follows the pair that it followed in the right trace, because the
    times of the two traces are not comparable.
    """
    only_right_after: dict[int | None, list[Pair]] = {None: []}
    last: Pair | None = None
    on_right = [(pair.right["offset_ms"], pair) for pair in pairs if pair.right is not None]
    for _, pair in sorted(on_right, key=lambda timed: timed[0]):
        if pair.left is None:
            only_right_after.setdefault(id(last) if last else None, []).append(pair)
        else:
            last = pair
    on_left = [(pair.left["offset_ms"], pair) for pair in pairs if pair.left is not None]
    ordered = only_right_after[None]
    for _, pair in sorted(on_left, key=lambda timed: timed[0]):
        ordered += [pair, *only_right_after.get(id(pair), ())]
    return ordered


def _key(row: Row) -> Key:
    return row["hop"], row["service"], row["name"]
