"""What sets some traces apart: how each attribute is distributed among them and among the rest."""

import math
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.compare.attribute_shares import VALUES_LIMIT, Attribute, Share, Sizes
from observatory.compare.compared_traces import ComparedTraces
from observatory.compare.contrast_sentence import sentence_of
from observatory.compare.digest.facts import ATTEMPT_ATTRIBUTES, LEG
from observatory.compare.filter import Comparison, Exists, Tree, render
from observatory.compare.filter import Value as FilterValue
from observatory.compare.numeric_ranges import compare_numbers
from observatory.compare.selection import Selection, nanos
from observatory.compare.snapshot import shared_snapshot
from observatory.compare.usual_hops import usual_hops
from observatory.schemas.overview import Contrast
from observatory.store.promotions import promotions_of

ATTRIBUTES_LIMIT = 40
# Attributes of more keys than anybody reads aren't looked at, beginning with the least different.
KEYS_LIMIT = 120
# Keys that say the same: who chose by one of them is told nothing by another.
SAME = (
    frozenset({"attempts", *ATTEMPT_ATTRIBUTES}),
    frozenset({"error", "errors", "status"}),
    frozenset({"orphans", "uncovered"}),
)
NOT_SET = "not set"

# Traces by what they are as a whole, of which there are few kinds.
SHAPES = """
create or replace temp table shapes as
select inside, root, root_service, key_set, leg_set, count(*) as traces, count(subject) as subjects
from {traces} group by all
"""
_INSIDE = "coalesce(sum(traces) filter (where inside), 0)::bigint"
_REST = "coalesce(sum(traces) filter (where not inside), 0)::bigint"
SIZES = f"""
select {_INSIDE}, {_REST},
    coalesce(sum(subjects) filter (where inside) * 2 > sum(traces) filter (where inside), false)
from shapes
"""
# Values that hardly ever occur twice, such as ids, say nothing of a trace's kind.
FACTS = f"""
with counted as (
    select fact, count(*) filter (where inside) as inside,
        count(*) filter (where not inside) as rest
    from (select inside, unnest(facts) as fact from {{traces}})
    group by fact
), valued as (
    select key, value, inside, rest,
        abs(inside / $selected - rest / $others) as difference
    from counted join fact_values using (fact)
), keyed as (
    select key, name, numeric, count(*) as known
    from valued join fact_keys using (key) where name <> '{LEG}' group by key, name, numeric
    having case when numeric then count(*) <= {VALUES_LIMIT}
        else count(*) < 3 or sum(inside + rest) >= 1.25 * count(*) end
    order by max(difference) desc limit {KEYS_LIMIT}
)
select name, numeric, value, inside, rest
from valued join keyed using (key)
qualify row_number() over (
    partition by key order by difference desc, inside + rest desc, value) <= {VALUES_LIMIT}
"""
KEYS = f"""
with counted as (
    select key_set as "set", {_INSIDE} as inside, {_REST} as rest from shapes group by key_set
)
select name, sum(inside)::bigint, sum(rest)::bigint
from counted join fact_sets using ("set") join fact_keys on fact_keys.key = fact_sets.member
where name <> '{LEG}' group by name
order by abs(sum(inside) / $selected - sum(rest) / $others) desc
limit {10 * KEYS_LIMIT}
"""
LEGS = f"select root, root_service, leg_set, {_INSIDE}, {_REST} from shapes group by all"
HAVING = 'select member, "set" from fact_sets where member in (select unnest($facts::ubigint[]))'


@dataclass(frozen=True)
class Inside:
    """Which of the selected traces to set against the rest: all that is given must hold."""

    tree: Tree | None = None
    from_ms: float | None = None
    to_ms: float | None = None
    least_ms: float | None = None
    most_ms: float | None = None

    @property
    def boxed(self) -> bool:
        """Whether it is a box on the heatmap, and nothing else."""
        return self.tree is None

    def keys(self) -> set[str]:
        """The keys by which it was chosen, which it would say nothing to find different."""
        keys = set(_keys_of(self.tree))
        if self.least_ms is not None or self.most_ms is not None:
            keys.add("duration")
        return keys.union(*(same for same in SAME if keys & same))


def contrast(reader: duckdb.DuckDBPyConnection, selection: Selection, inside: Inside) -> Contrast:
    """How the attributes of those inside differ from the other selected traces'."""
    with shared_snapshot(reader) as other:
        compared = _compared(reader, selection, inside)
        compared.query(SHAPES)
        ((selected, rest, of_subjects),) = reader.execute(SIZES).fetchall()
        sizes = Sizes(selected, rest)
        attributes: list[Attribute] = []
        if selected and rest:
            # DuckDB gives a thread some 120,000 rows, so that it would hardly use a second one.
            with ThreadPoolExecutor(1) as beside:
                numbers = beside.submit(
                    lambda: compare_numbers(other, _compared(other, selection, inside), sizes)
                )
                attributes = _attributes(reader, compared, sizes, numbers)
    known = inside.keys()
    attributes = [attribute for attribute in attributes if attribute.key not in known]
    attributes.sort(key=lambda attribute: (-attribute.score, attribute.key))
    subject = promotions_of(reader).subject
    noun = subject.key if subject is not None and of_subjects else "trace"
    return {
        "selected": sizes.selected,
        "rest": sizes.rest,
        "sentence": sentence_of(attributes, sizes, noun, inside.boxed),
        "attributes": [attribute.shape() for attribute in attributes[:ATTRIBUTES_LIMIT]],
    }


def _compared(
    reader: duckdb.DuckDBPyConnection, selection: Selection, inside: Inside
) -> ComparedTraces:
    condition = selection.condition(reader)
    within = condition.beside()
    within.matches(inside.tree)
    if inside.from_ms is not None:
        within.require("t.started >= {}", nanos(inside.from_ms))
    if inside.to_ms is not None:
        within.require("t.started < {}", nanos(inside.to_ms))
    if inside.least_ms is not None:
        within.require("t.duration_ms >= {}", inside.least_ms)
    if inside.most_ms is not None:
        within.require("t.duration_ms < {}", inside.most_ms)
    filtered = selection.tree is not None or inside.tree is not None
    return ComparedTraces(reader, condition, within, materialised=filtered)


def _attributes(
    reader: duckdb.DuckDBPyConnection,
    compared: ComparedTraces,
    sizes: Sizes,
    numbers: "Future[list[Attribute]]",
) -> list[Attribute]:
    asked = {"selected": sizes.selected, "others": sizes.rest}
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    kinds: dict[str, Any] = {}
    for name, numeric, value, inside, rest in compared.query(FACTS, **asked):
        kinds[name] = "number" if numeric else "text"
        shares[name].append(Share(value, _equals(name, value, numeric), inside, rest))
    keys = reader.execute(KEYS, asked).fetchall()
    missing = _missing_hops(reader)
    attributes = {attribute.key: attribute for attribute in numbers.result()}
    for name, found in shares.items():
        attributes[name] = Attribute(name, kinds[name], sizes, found)
    for name, inside, rest in keys:
        unset = Share(
            NOT_SET, f"not {render(Exists(name))}", sizes.selected - inside, sizes.rest - rest
        )
        if name in attributes:
            if unset.inside or unset.outside:
                attributes[name].add(unset)
        elif (unset.inside or unset.outside) and sizes.difference(unset) >= 0.01:
            set_ = Share("set", render(Exists(name)), inside, rest)
            attributes[name] = Attribute(name, "text", sizes, [set_, unset])
    if missing:
        attributes["missing_hop"] = Attribute("missing_hop", "derived", sizes, missing)
    if "attempts" in attributes:  # which says the same as what it is derived from, once
        attributes = {name: attributes[name] for name in attributes.keys() - {*ATTEMPT_ATTRIBUTES}}
    return [attribute for attribute in attributes.values() if attribute.tells_anything]


def _missing_hops(reader: duckdb.DuckDBPyConnection) -> list[Share]:
    hops = usual_hops(reader)
    if not hops:
        return []
    having: defaultdict[int, set[int]] = defaultdict(set)
    for fact, set_ in reader.execute(HAVING, {"facts": [hop.fact for hop in hops]}).fetchall():
        having[fact].add(set_)
    shares: dict[str, Share] = {}
    for root, root_service, legs, inside, rest in reader.execute(LEGS).fetchall():
        for hop in hops:
            of_root = (hop.root, hop.root_service) == (root, root_service)
            if of_root and legs not in having[hop.fact]:
                share = shares.setdefault(
                    hop.label,
                    Share(hop.label, _equals("missing_hop", hop.label, numeric=False), 0, 0),
                )
                share.inside += inside
                share.outside += rest
    return sorted(shares.values(), key=lambda share: -share.inside - share.outside)[:VALUES_LIMIT]


def _equals(key: str, value: str, numeric: bool) -> str:
    number = float(value) if numeric and _is_number(value) else None
    return render(Comparison(key, "=", FilterValue(value, number)))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and not set(text.lower()) & set("xn_ ")
    except ValueError:
        return False


def _keys_of(tree: Tree | None) -> Iterable[str]:
    if isinstance(tree, Comparison | Exists):
        yield tree.key
    elif tree is not None:
        terms = getattr(tree, "terms", None) or filter(None, [getattr(tree, "term", None)])
        for term in terms:
            yield from _keys_of(term)
