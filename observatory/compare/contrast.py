"""The contrast: how the attributes of a subset of the traces differ from those of the rest."""

import math
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.compare.attribute_shares import VALUES_LIMIT, Attribute, Share, Sizes
from observatory.compare.compared_traces import ComparedTraces
from observatory.compare.contrast_sentence import SIGNIFICANT_DIFFERENCE, contrast_sentence
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
# Only the keys with the largest differences are read in detail.
KEYS_LIMIT = 120
# Keys with the same meaning: a subset chosen by one of them differs trivially in the others.
EQUIVALENT_KEYS = (
    frozenset({"attempts", *ATTEMPT_ATTRIBUTES}),
    frozenset({"error", "errors", "status"}),
    frozenset({"orphans", "uncovered"}),
)
NOT_SET = "not set"
# An attribute is known at the start if at least this share of its traces have it on their first
# span, and if it has at most this many values for each trace.
KNOWN_SHARE = 0.9
# What was known at the start comes first if it differs at least this much of what differs most.
CLEAR_SHARE = 0.5
SINGLE_VALUED = 1.02

# Traces grouped by their root, keys and hops. There are few such groups.
GROUPS = """
create or replace temp table trace_groups as
select inside, root, root_service, key_set, leg_set, start_set, count(*) as traces,
    count(subject) as subjects
from {traces} group by all
"""
_INSIDE = "coalesce(sum(traces) filter (where inside), 0)::bigint"
_REST = "coalesce(sum(traces) filter (where not inside), 0)::bigint"
SIZES = f"""
select {_INSIDE}, {_REST},
    coalesce(sum(subjects) filter (where inside) * 2 > sum(traces) filter (where inside), false)
from trace_groups
"""
# Keys whose values hardly ever occur twice, such as ids, are left out.
FACTS = f"""
with fact_counts as (
    select fact, count(*) filter (where inside) as inside,
        count(*) filter (where not inside) as rest
    from (select inside, unnest(facts) as fact from {{traces}})
    group by fact
), value_differences as (
    select key, value, inside, rest,
        abs(inside / $selected - rest / $others) as difference
    from fact_counts join fact_values using (fact)
), compared_keys as (
    select key, name, numeric, sum(inside + rest) as uses
    from value_differences join fact_keys using (key) where name <> '{LEG}'
    group by key, name, numeric
    having case when numeric then count(*) <= {VALUES_LIMIT}
        else count(*) < 3 or sum(inside + rest) >= 1.25 * count(*) end
    order by max(difference) desc limit {KEYS_LIMIT}
)
select name, numeric, value, inside, rest, uses::bigint
from value_differences join compared_keys using (key)
qualify row_number() over (
    partition by key order by difference desc, inside + rest desc, value) <= {VALUES_LIMIT}
"""
KEYS = f"""
with key_set_counts as (
    select key_set as "set", {_INSIDE} as inside, {_REST} as rest from trace_groups
    group by key_set
)
select name, sum(inside)::bigint, sum(rest)::bigint
from key_set_counts join fact_sets using ("set") join fact_keys on fact_keys.key = fact_sets.member
where name <> '{LEG}' group by name
order by abs(sum(inside) / $selected - sum(rest) / $others) desc
limit {10 * KEYS_LIMIT}
"""
# The number of traces whose first span has each key.
STARTS = """
with start_counts as (select start_set as "set", sum(traces) as traces from trace_groups group by 1)
select name, sum(traces)::bigint
from start_counts join fact_sets using ("set") join fact_keys on fact_keys.key = fact_sets.member
group by name
"""
ROOTS = f"""
select root, {_INSIDE}, {_REST} from trace_groups group by root
order by sum(traces) desc, root limit {VALUES_LIMIT}
"""
LEGS = f"select root, root_service, leg_set, {_INSIDE}, {_REST} from trace_groups group by all"
SETS_WITH = 'select member, "set" from fact_sets where member in (select unnest($facts::ubigint[]))'


@dataclass(frozen=True)
class Subset:
    """The selected traces to compare with the rest: those that meet every condition."""

    tree: Tree | None = None
    from_ms: float | None = None
    to_ms: float | None = None
    least_ms: float | None = None
    most_ms: float | None = None

    @property
    def is_box(self) -> bool:
        """Whether it is a box on the heatmap, without a filter."""
        return self.tree is None

    def keys(self) -> set[str]:
        """Return the keys by which the subset was chosen, in which it differs trivially."""
        keys = set(_keys_of(self.tree))
        if self.least_ms is not None or self.most_ms is not None:
            keys.add("duration")
        return keys.union(*(same for same in EQUIVALENT_KEYS if keys & same))


def contrast(reader: duckdb.DuckDBPyConnection, selection: Selection, subset: Subset) -> Contrast:
    """Compare the attributes of a subset of the selected traces with those of the rest."""
    with shared_snapshot(reader) as other:
        compared = _compared(reader, selection, subset)
        compared.query(GROUPS)
        ((selected, rest, have_subjects),) = reader.execute(SIZES).fetchall()
        sizes = Sizes(selected, rest)
        attributes: list[Attribute] = []
        if selected and rest:
            # In parallel, because DuckDB gives a thread about 120,000 rows, which leaves the second
            # core idle.
            with ThreadPoolExecutor(1) as executor:
                numbers = executor.submit(
                    lambda: compare_numbers(other, _compared(other, selection, subset), sizes)
                )
                attributes = _attributes(reader, compared, sizes, numbers)
    trivial_keys = subset.keys()
    attributes = [each for each in attributes if each.key not in trivial_keys]
    attributes = _ranked(attributes)
    subject = promotions_of(reader).subject
    noun = subject.key if subject is not None and have_subjects else "trace"
    return {
        "selected": sizes.selected,
        "rest": sizes.rest,
        "sentence": contrast_sentence(attributes, sizes, noun, is_box=subset.is_box),
        "attributes": [attribute.to_json() for attribute in attributes[:ATTRIBUTES_LIMIT]],
    }


def _ranked(attributes: Iterable[Attribute]) -> list[Attribute]:
    """Sort attributes: clear differences that may be causes, then all others."""
    by_score = sorted(attributes, key=lambda attribute: (-attribute.score, attribute.key))
    clear = max(
        SIGNIFICANT_DIFFERENCE, CLEAR_SHARE * max((each.score for each in by_score), default=0)
    )
    return sorted(
        by_score, key=lambda attribute: not (attribute.known_at_start and attribute.score >= clear)
    )


def _compared(
    reader: duckdb.DuckDBPyConnection, selection: Selection, subset: Subset
) -> ComparedTraces:
    condition = selection.condition(reader)
    inside = condition.sharing_parameters()
    inside.matches(subset.tree)
    if subset.from_ms is not None:
        inside.require("t.started >= {}", nanos(subset.from_ms))
    if subset.to_ms is not None:
        inside.require("t.started < {}", nanos(subset.to_ms))
    if subset.least_ms is not None:
        inside.require("t.duration_ms >= {}", subset.least_ms)
    if subset.most_ms is not None:
        inside.require("t.duration_ms < {}", subset.most_ms)
    filtered = selection.tree is not None or subset.tree is not None
    return ComparedTraces(reader, condition, inside, materialised=filtered)


def _attributes(
    reader: duckdb.DuckDBPyConnection,
    compared: ComparedTraces,
    sizes: Sizes,
    numbers: "Future[list[Attribute]]",
) -> list[Attribute]:
    parameters = {"selected": sizes.selected, "others": sizes.rest}
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    kinds: dict[str, Any] = {}
    uses: dict[str, int] = {}
    for name, numeric, value, inside, rest, uses_of_key in compared.query(FACTS, **parameters):
        kinds[name] = "number" if numeric else "text"
        uses[name] = uses_of_key
        shares[name].append(Share(value, _equals(name, value, numeric), inside, rest))
    keys = reader.execute(KEYS, parameters).fetchall()
    at_start = dict(reader.execute(STARTS).fetchall())
    roots = [
        Share(root, _equals("root", root, numeric=False), inside, rest)
        for root, inside, rest in reader.execute(ROOTS).fetchall()
    ]
    missing_hops = _missing_hops(reader)
    attributes = {attribute.key: attribute for attribute in numbers.result()}
    for name, shares_of_key in shares.items():
        attributes[name] = Attribute(name, kinds[name], sizes, shares_of_key)
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
    for name, inside, rest in keys:
        if name in attributes:
            traces = inside + rest
            # With more values than traces, some were set later.
            single = uses.get(name, traces) <= SINGLE_VALUED * traces
            started = at_start.get(name, 0) >= KNOWN_SHARE * traces
            attributes[name].known_at_start = single and started
    attributes["root"] = Attribute("root", "text", sizes, roots, known_at_start=True)
    if missing_hops:
        attributes["missing_hop"] = Attribute("missing_hop", "derived", sizes, missing_hops)
    if "attempts" in attributes:  # it is derived from the others
        attributes = {name: attributes[name] for name in attributes.keys() - {*ATTEMPT_ATTRIBUTES}}
    return [attribute for attribute in attributes.values() if attribute.varies]


def _missing_hops(reader: duckdb.DuckDBPyConnection) -> list[Share]:
    hops = usual_hops(reader)
    if not hops:
        return []
    sets_with: defaultdict[int, set[int]] = defaultdict(set)  # leg sets by the hop's fact
    for fact, set_ in reader.execute(SETS_WITH, {"facts": [hop.fact for hop in hops]}).fetchall():
        sets_with[fact].add(set_)
    shares: dict[str, Share] = {}
    for root, root_service, leg_set, inside, rest in reader.execute(LEGS).fetchall():
        for hop in hops:
            same_root = (hop.root, hop.root_service) == (root, root_service)
            if same_root and leg_set not in sets_with[hop.fact]:
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
