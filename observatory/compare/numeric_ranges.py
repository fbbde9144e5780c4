"""Numbers compared by ranges: attributes, durations, counts and waits."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import duckdb

from observatory.compare.attribute_shares import Attribute, Share, Sizes
from observatory.compare.compared_traces import ComparedTraces
from observatory.compare.filter import COUNT_KEYS, WAIT_PREFIX, key_text
from observatory.text_format import duration_text

# Where ranges end: finer towards the long tail, in which the odd ones are.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.97)
FEW = 7

# Where there are many traces, so many of them are enough to see where ranges should end.
SAMPLED_TRACES = 8_000
OF_TRACE = {
    "duration": "duration_ms",
    "spans": "spans",
    "errors": "errors",
    "orphans": "orphans",
    "attempts": "attempts",
}

# Those of the trace itself have small numbers as keys.
SAMPLE = f"""
create or replace temp table sampled_numbers as
select * from (
    select inside, evenly,
        unnest({list(range(len(OF_TRACE)))}::ubigint[] || number_keys) as key,
        unnest([{", ".join(OF_TRACE.values())}]::double[] || most) as number
    from (
        select inside, trace % $every::ubigint = 0 as evenly, number_keys, most,
            {", ".join(OF_TRACE.values())}
        from {{traces}} where trace % $every::ubigint = 0 or inside and $few
    )
) where number is not null
"""
BOUNDS = f"""
select key, any_value(name), quantile_disc(number, {list(QUANTILES)}) filter (where evenly),
    approx_count_distinct(number) filter (where evenly),
    median(number) filter (where inside), median(number) filter (where not inside)
from sampled_numbers left join fact_keys using (key) group by key
"""
DISTINCT = """
select distinct key, number from sampled_numbers where key in (select unnest($keys::ubigint[]))
"""
_PLACE = " + ".join(f"(number >= b{n})::utinyint" for n in range(1, FEW + 1))
_BOUNDS = ", ".join(f"coalesce(bounds[{n}], 'inf'::double) as b{n}" for n in range(1, FEW + 1))
COUNTS = f"""
with bounds as (
    select unnest($keys::ubigint[]) as key, unnest($bounds) as bounds
), cut as (
    select key, {_BOUNDS} from bounds
)
select key, {_PLACE} as place, inside, count(*)
from (select inside, unnest(number_keys) as key, unnest(most) as number from {{traces}})
join cut using (key)
group by all
"""
COUNTS_OF_TRACE = "select {places}, inside, count(*) from {{traces}} group by all"


def compare_numbers(
    reader: duckdb.DuckDBPyConnection, compared: ComparedTraces, sizes: Sizes
) -> list[Attribute]:
    """The numbers of the compared traces."""
    every = max(1, (sizes.selected + sizes.rest) // SAMPLED_TRACES)
    compared.query(SAMPLE, every=every, few=sizes.selected <= SAMPLED_TRACES)
    names = list(OF_TRACE)
    found: dict[int, _Numbers] = {}
    narrow: list[int] = []
    for key, name, quantiles, distinct, *medians in reader.execute(BOUNDS).fetchall():
        numbers = _Numbers(names[key] if key < len(names) else name)
        if quantiles is None:
            continue
        numbers.bounds = sorted({_rounded(quantile) for quantile in quantiles})
        if None not in medians:
            numbers.medians = (medians[0], medians[1])
        found[key] = numbers
        if distinct <= 2 * FEW:
            narrow.append(key)
    values: defaultdict[int, list[float]] = defaultdict(list)
    for key, number in reader.execute(DISTINCT, {"keys": narrow}).fetchall():
        values[key].append(number)
    for key, numbers_of_key in values.items():
        if len(numbers_of_key) <= FEW:
            found[key].exact, found[key].bounds = True, sorted(numbers_of_key)
    _count_listed(compared, {key: found[key] for key in found if key >= len(OF_TRACE)})
    _count_of_trace(compared, {key: found[key] for key in found if key < len(OF_TRACE)})
    return [_attribute(numbers, sizes) for numbers in found.values()]


@dataclass
class _Numbers:
    """The numbers of one key: where its ranges end, and how many traces are in each."""

    name: str
    bounds: list[float] = field(default_factory=list)
    exact: bool = False
    medians: tuple[float, float] | None = None
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def count(self, place: int, inside: bool, count: int) -> None:
        """Add traces whose number is in the range that begins with the bound before ``place``."""
        before = self.counts.get(place, (0, 0))
        self.counts[place] = (before[0] + count * inside, before[1] + count * (not inside))


def _count_listed(compared: ComparedTraces, found: dict[int, _Numbers]) -> None:
    """Count the traces in each range of the numbers that spans have."""
    if not found:
        return
    bounds = [numbers.bounds for numbers in found.values()]
    for key, place, inside, count in compared.query(COUNTS, keys=list(found), bounds=bounds):
        found[key].count(place, inside, count)


def _count_of_trace(compared: ComparedTraces, found: dict[int, _Numbers]) -> None:
    """Count the traces in each range of the numbers that traces have, all in one go."""
    if not found:
        return
    columns = list(OF_TRACE.values())
    places = ", ".join(
        " + ".join(f"({columns[key]} >= {bound!r})::utinyint" for bound in numbers.bounds)
        + f" as place_{key}"
        for key, numbers in found.items()
    )
    for *row, inside, count in compared.query(COUNTS_OF_TRACE.format(places=places)):
        for numbers, place in zip(found.values(), row, strict=True):
            if place is not None:
                numbers.count(place, inside, count)


def _attribute(numbers: _Numbers, sizes: Sizes) -> Attribute:
    name, bounds = numbers.name, numbers.bounds
    shares: list[Share] = []
    above: list[Share] = []  # what is in a range or any higher one
    for place, (inside, outside) in sorted(numbers.counts.items()):
        low = bounds[place - 1] if place > 0 else None
        high = bounds[place] if place < len(bounds) else None
        label, filter_ = _said(name, low, high, numbers.exact)
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


def _said(key: str, low: float | None, high: float | None, exact: bool) -> tuple[str, str]:
    """A range in words, and as a filter.

    A trace may have several numbers of a key. Its largest is what was compared, so that a range
    is: one is at least the lower bound, and none is the upper bound or more.
    """
    timed = key == "duration" or key.startswith(WAIT_PREFIX)
    if exact and low is not None:
        text = duration_text(low) if timed else _plain(low)
        return text, f"{key_text(key)} = {_value(low, timed)}"
    shown: list[Any] = []
    parts = []
    if low is not None:
        parts.append(f"{key_text(key)} >= {_value(low, timed)}")
        shown.append(duration_text(low) if timed else _plain(low))
    else:
        parts.append(f"{key_text(key)} exists")
    if high is not None:
        once = key == "duration" or key in COUNT_KEYS
        negated = f"{key_text(key)} < " if once else f"not {key_text(key)} >= "
        parts.append(negated + _value(high, timed))
        shown.append(duration_text(high) if timed else _plain(high))
    if low is None:
        label = f"under {shown[-1]}" if shown else "any"
    elif high is None:
        label = f"{shown[0]} or more"
    else:
        label = f"{shown[0]} to {shown[1]}"
    return label, " and ".join(parts)


def _value(number: float, timed: bool) -> str:
    return f"{_plain(number)} ms" if timed else _plain(number)


def _plain(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(number)


def _rounded(number: float) -> float:
    """Two digits are enough to say where a range ends."""
    if number == 0 or not math.isfinite(number):
        return 0.0
    digits = 1 - math.floor(math.log10(abs(number)))
    return round(number, digits)
