"""Align two traces: find for each span of one the same step in the other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from observatory.schemas.journey import Row

Key = tuple[str | None, str, str]
KEY_BYTES = 10


@dataclass(eq=False)
class Pair:
    """The same step in both traces, or a step of one of them.

    ``key`` identifies the step by its place in the tree; ``below`` holds the steps under it.
    """

    left: Row | None
    right: Row | None
    key: str = ""
    depth: int = 0
    below: "list[Pair]" = field(default_factory=list)

    @property
    def one(self) -> Row:
        """The left span if there is one, else the right one."""
        row = self.left or self.right
        if row is None:
            raise LookupError("a pair has at least one side")
        return row


def aligned(left: Sequence[Row], right: Sequence[Row]) -> Iterator[Pair]:
    """Yield every span of both traces once, parents before children, siblings in order of time.

    Two spans are the same step when their hop, service and name are equal and their parents are the
    same step; of several equal siblings the first matches the first. A step that began a leg and
    lost its parent on one side is matched wherever it is.
    """
    left_tree, right_tree = Tree(left), Tree(right)
    pairs = _paired(left_tree, right_tree, _matches(left_tree, right_tree))
    stack = pairs[::-1]
    while stack:
        pair = stack.pop()
        yield pair
        stack.extend(reversed(pair.below))


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
            if row["span_id"] not in reached:  # in a cycle of parents, unreachable from any root
                self._children[self._parents.pop(row["span_id"])].remove(row)
                self._children[None].append(row)
                reached.update(one["span_id"] for one in self.walk([row]))

    @property
    def roots(self) -> list[Row]:
        """The spans without a stored parent."""
        return self._children[None]

    def below(self, row: Row) -> list[Row]:
        """Return the children of ``row``."""
        return self._children[row["span_id"]]

    def above(self, row: Row) -> Row | None:
        """Return the parent of ``row``."""
        parent = self._parents.get(row["span_id"])
        return self._by_id[parent] if parent is not None else None

    def walk(self, tops: Iterable[Row]) -> Iterator[Row]:
        """Yield ``tops`` and their descendants, parents first."""
        stack = list(tops)[::-1]
        while stack:
            row = stack.pop()
            yield row
            stack.extend(reversed(self.below(row)))


def _matches(left: Tree, right: Tree) -> dict[str, Row]:
    """Return the matching right span by left span id."""
    found: dict[str, Row] = {}
    taken: set[str] = set()

    def match_below(lefts: list[Row], rights: list[Row]) -> None:
        todo = [(lefts, rights)]
        while todo:
            waiting = defaultdict(list)
            lefts, rights = todo.pop()
            for row in reversed(rights):
                if row["span_id"] not in taken:
                    waiting[_key(row)].append(row)
            for row in lefts:
                if row["span_id"] not in found and waiting[_key(row)]:
                    same = waiting[_key(row)].pop()
                    found[row["span_id"]] = same
                    taken.add(same["span_id"])
                    todo.append((left.below(row), right.below(same)))

    match_below(left.roots, right.roots)
    elsewhere = defaultdict(list)
    for row in right.walk(right.roots):
        if row["span_id"] not in taken and row["indent"] == 0:
            elsewhere[_key(row)].append(row)
    for row in left.walk(left.roots):
        if row["span_id"] not in found and row["indent"] == 0 and _key(row) in elsewhere:
            match_below([row], elsewhere[_key(row)])
    return found


def _paired(left: Tree, right: Tree, matches: dict[str, Row]) -> list[Pair]:
    """Return the root pairs; a pair is below that of its left span's parent, else its right's."""
    of_left: dict[str, Pair] = {}
    of_right: dict[str, Pair] = {}
    for row in left.walk(left.roots):
        pair = of_left[row["span_id"]] = Pair(row, matches.get(row["span_id"]))
        if pair.right is not None:
            of_right[pair.right["span_id"]] = pair
    for row in right.walk(right.roots):
        of_right.setdefault(row["span_id"], Pair(None, row))
    top: list[Pair] = []
    for pair in [*of_left.values(), *(one for one in of_right.values() if one.left is None)]:
        if pair.left is not None:
            above = left.above(pair.left)
            under = of_left[above["span_id"]] if above else None
        else:
            above = right.above(pair.one)
            under = of_right[above["span_id"]] if above else None
        (under.below if under else top).append(pair)
    _place(top)
    return top


def _place(top: list[Pair]) -> None:
    """Set depths and keys, and sort siblings by time."""
    stack = [(top, "", 0)]
    while stack:
        pairs, parent_key, depth = stack.pop()
        pairs[:] = _in_order(pairs)
        numbers: defaultdict[Key, int] = defaultdict(int)
        for pair in pairs:
            step = _key(pair.one)
            numbers[step] += 1
            pair.key = _digest(parent_key, *step, numbers[step])
            pair.depth = depth
            stack.append((pair.below, pair.key, depth + 1))


def _digest(*parts: str | int | None) -> str:
    # Not the path itself: in a chain of n spans, paths take n squared characters.
    return blake2b(repr(parts).encode("utf-8", "replace"), digest_size=KEY_BYTES).hexdigest()


def _in_order(pairs: list[Pair]) -> list[Pair]:
    """Sort siblings by their left times.

    Those only on the right follow the sibling that they followed there, because the times of the
    two sides are not comparable.
    """
    after: dict[int | None, list[Pair]] = {None: []}
    last: Pair | None = None
    on_right = [(pair.right["offset_ms"], pair) for pair in pairs if pair.right is not None]
    for _, pair in sorted(on_right, key=lambda timed: timed[0]):
        if pair.left is None:
            after.setdefault(id(last) if last else None, []).append(pair)
        else:
            last = pair
    on_left = [(pair.left["offset_ms"], pair) for pair in pairs if pair.left is not None]
    ordered = after[None]
    for _, pair in sorted(on_left, key=lambda timed: timed[0]):
        ordered += [pair, *after.get(id(pair), ())]
    return ordered


def _key(row: Row) -> Key:
    return row["hop"], row["service"], row["name"]
