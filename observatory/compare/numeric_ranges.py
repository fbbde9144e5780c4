"""Compare numbers by ranges: attributes, durations, counts and waits."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

import duckdb

from observatory.compare.attribute_shares import Attribute, Share, Sizes
from observatory.compare.compared_traces import ComparedTraces
from observatory.compare.filter import COUNT_KEYS, WAIT_PREFIX, key_text
from observatory.text_format import duration_text

# The bounds of the ranges: finer towards the long tail, where the unusual traces are.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.97)
# Up to this many distinct numbers are values of their own instead of ranges.
EXACT_VALUES_MAX = 7

# Quantiles are computed from a sample of about this many traces.
SAMPLED_TRACES = 8_000
OF_TRACE = {
    "duration": "duration_ms",
    "spans": "spans",
    "errors": "errors",
    "orphans": "orphans",
    "attempts": "attempts",
}

# The keys of the trace's own numbers are their indices in OF_TRACE.
SAMPLE = f"""
create or replace temp table sampled_numbers as
select * from (
    select inside, sampled,
        unnest({list(range(len(OF_TRACE)))}::ubigint[] || number_keys) as key,
        unnest([{", ".join(OF_TRACE.values())}]::double[] || most) as number
    from (
        select inside, trace % $every::ubigint = 0 as sampled, number_keys, most,
            {", ".join(OF_TRACE.values())}
        from {{traces}} where trace % $every::ubigint = 0 or inside and $all_inside
    )
) where number is not null
"""
BOUNDS = f"""
select key, any_value(name), quantile_disc(number, {list(QUANTILES)}) filter (where sampled),
    approx_count_distinct(number) filter (where sampled),
    median(number) filter (where inside), median(number) filter (where not inside)
from sampled_numbers left join fact_keys using (key) group by key
"""
DISTINCT = """
select distinct key, number from sampled_numbers where key in (select unnest($keys::ubigint[]))
"""
_PLACE = " + ".join(f"(number >= b{n})::utinyint" for n in range(1, EXACT_VALUES_MAX + 1))
_BOUNDS = ", ".join(
    f"coalesce(bounds[{n}], 'inf'::double) as b{n}" for n in range(1, EXACT_VALUES_MAX + 1)
)
COUNTS = f"""
with bounds as (
    select unnest($keys::ubigint[]) as key, unnest($bounds) as bounds
), bound_columns as (
    select key, {_BOUNDS} from bounds
)
select key, {_PLACE} as place, inside, count(*)
from (select inside, unnest(number_keys) as key, unnest(most) as number from {{traces}})
join bound_columns using (key)
group by all
"""
COUNTS_OF_TRACE = "select {places}, inside, count(*) from {{traces}} group by all"


def compare_numbers(
    reader: duckdb.DuckDBPyConnection, compared: ComparedTraces, sizes: Sizes
) -> list[Attribute]:
    """Return the attributes with numbers, their values grouped into ranges."""
    every = max(1, (sizes.selected + sizes.rest) // SAMPLED_TRACES)
    compared.query(SAMPLE, every=every, all_inside=sizes.selected <= SAMPLED_TRACES)
    names = list(OF_TRACE)
    numbers_by_key: dict[int, _Numbers] = {}
    maybe_exact: list[int] = []
    for key, name, quantiles, distinct, *medians in reader.execute(BOUNDS).fetchall():
        numbers = _Numbers(names[key] if key < len(names) else name)
        if quantiles is None:
            continue
        numbers.bounds = sorted({_rounded(quantile) for quantile in quantiles})
        if None not in medians:
            numbers.medians = (medians[0], medians[1])
        numbers_by_key[key] = numbers
        if distinct <= 2 * EXACT_VALUES_MAX:  # an approximate count
            maybe_exact.append(key)
    values: defaultdict[int, list[float]] = defaultdict(list)
    for key, number in reader.execute(DISTINCT, {"keys": maybe_exact}).fetchall():
        values[key].append(number)
    for key, distinct_values in values.items():
        if len(distinct_values) <= EXACT_VALUES_MAX:
            numbers_by_key[key].exact = True
            numbers_by_key[key].bounds = sorted(distinct_values)
    of_spans = {key: each for key, each in numbers_by_key.items() if key >= len(OF_TRACE)}
    of_trace = {key: each for key, each in numbers_by_key.items() if key < len(OF_TRACE)}
    _count_of_spans(compared, of_spans)
    _count_of_trace(compared, of_trace)
    return [_attribute(numbers, sizes) for numbers in numbers_by_key.values()]


@dataclass
class _Numbers:
    """The numbers of one key: the bounds of its ranges, and the traces in each range.

    ``counts`` are pairs of the traces inside and outside, by the index of the range.
    """

    name: str
    bounds: list[float] = field(default_factory=list)
    exact: bool = False
    medians: tuple[float, float] | None = None
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def count(self, place: int, inside: bool, count: int) -> None:
        """Add traces to the range below bound number ``place``."""
        counted = self.counts.get(place, (0, 0))
        self.counts[place] = (counted[0] + count * inside, counted[1] + count * (not inside))


def _count_of_spans(compared: ComparedTraces, numbers_by_key: dict[int, _Numbers]) -> None:
    """Count the traces in each range of the spans' numbers."""
    if not numbers_by_key:
        return
    keys = list(numbers_by_key)
    bounds = [numbers.bounds for numbers in numbers_by_key.values()]
    for key, place, inside, count in compared.query(COUNTS, keys=keys, bounds=bounds):
        numbers_by_key[key].count(place, inside, count)


def _count_of_trace(compared: ComparedTraces, numbers_by_key: dict[int, _Numbers]) -> None:
    """Count the traces in each range of the traces' own numbers, in a single query."""
    if not numbers_by_key:
        return
    columns = list(OF_TRACE.values())
    places = ", ".join(
        " + ".join(f"({columns[key]} >= {bound!r})::utinyint" for bound in numbers.bounds)
        + f" as place_{key}"
        for key, numbers in numbers_by_key.items()
    )
    for *row, inside, count in compared.query(COUNTS_OF_TRACE.format(places=places)):
        for numbers, place in zip(numbers_by_key.values(), row, strict=True):
            if place is not None:
                numbers.count(place, inside, count)


def _attribute(numbers: _Numbers, sizes: Sizes) -> Attribute:
    name, bounds = numbers.name, numbers.bounds
    shares: list[Share] = []
    above: list[Share] = []  # the traces in each range or any higher one
    for place, (inside, outside) in sorted(numbers.counts.items()):
        low = bounds[place - 1] if place > 0 else None
        high = bounds[place] if place < len(bounds) else None
        label, filter_ = _label_and_filter(name, low, high, numbers.exact)
        shares.append(Share(label, filter_, inside, outside))
        for share in above:
            share.inside += inside
            share.outside += outside
        above.append(Share("", "", inside, outside))
    of_trace = name in OF_TRACE or name.startswith(WAIT_PREFIX)
    attribute = Attribute(name, "derived" if of_trace else "number", sizes, shares)
    for share in above:
        attribute.difference = max(attribute.difference, sizes.difference(share))
        attribute.score = max(attribute.score, sizes.difference(share) - sizes.noise(share))
    if name.startswith(WAIT_PREFIX):
        attribute.medians = numbers.medians
    return attribute


def _label_and_filter(
    key: str, low: float | None, high: float | None, exact: bool
) -> tuple[str, str]:
    """Return the label of a range, and the filter for its traces.

    A trace may have several numbers of a key, of which the largest is compared. So the filter is:
    one of them is at least the lower bound, and none is at or above the upper bound.
    """
    timed = key == "duration" or key.startswith(WAIT_PREFIX)
    if exact and low is not None:
        text = duration_text(low) if timed else _plain(low)
        return text, f"{key_text(key)} = {_value(low, timed)}"
    bounds: list[str] = []
    terms = []
    if low is not None:
        terms.append(f"{key_text(key)} >= {_value(low, timed)}")
        bounds.append(duration_text(low) if timed else _plain(low))
    else:
        terms.append(f"{key_text(key)} exists")
    if high is not None:
        single = key == "duration" or key in COUNT_KEYS  # one number per trace
        below = f"{key_text(key)} < " if single else f"not {key_text(key)} >= "
        terms.append(below + _value(high, timed))
        bounds.append(duration_text(high) if timed else _plain(high))
    if low is None:
        label = f"under {bounds[-1]}" if bounds else "any"
    elif high is None:
        label = f"{bounds[0]} or more"
    else:
        label = f"{bounds[0]} to {bounds[1]}"
    return label, " and ".join(terms)


def _value(number: float, timed: bool) -> str:
    return f"{_plain(number)} ms" if timed else _plain(number)


def _plain(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(number)


def _rounded(number: float) -> float:
    """Round to two significant digits, which is precise enough for the bound of a range."""
    if number == 0 or not math.isfinite(number):
        return 0.0
    digits = 1 - math.floor(math.log10(abs(number)))
    return round(number, digits)
