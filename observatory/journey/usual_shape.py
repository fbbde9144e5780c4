"""What a trace lacks, repeats or has beyond others that began the same way."""

from collections import Counter
from collections.abc import Mapping, Sequence

import duckdb

from observatory.journey.reading import trace_key
from observatory.schemas.comparison import Missing, Repeated, Step, Unusual, UnusualShape

COMPARED_LIMIT = 200
COMPARED_LEAST = 5
USUAL_SHARE = 0.9
SELDOM_SHARE = 0.1
# A trace that got stuck is compared with those that went on, not with the few stuck like it.
STATE_SHARE = 0.1

Key = tuple[str | None, str, str]

OWN = """
select root, root_service, state from trace_digests
where trace_key = $key and trace_id = $trace_id
"""
OTHERS = """
select trace_key, state from trace_digests
where root = $root and root_service = $service and trace_key <> $key
order by started desc limit $limit
"""
SHAPES = """
select trace_key, hop, service_name, name, count(distinct span_id) from raw_spans
where trace_key in (select unnest($keys::ubigint[]))
group by all
"""
# The most frequent one last, which then is the one that is kept.
CALLERS = """
select called.hop, called.service_name, called.name, caller.hop, caller.service_name, caller.name
from raw_spans as called join raw_spans as caller
    on caller.trace_key = called.trace_key and caller.span_id = called.parent_span_id
where called.trace_key in (select unnest($keys::ubigint[]))
group by all order by count(*), 4, 5, 6
"""


def unusual_shape(reader: duckdb.DuckDBPyConnection, trace_id: str) -> UnusualShape | None:
    """What is unusual about a trace among the most recent ones with the same root; None while
    none of its spans is stored.

    A step is what has the same hop, service and name. It is missing when at least 90 % of the
    others have it, repeated when at least 90 % have it less often, added when at most 10 % have
    it.

    Args:
        reader: a cursor that sees the digests of what is stored.
        trace_id: 32 hexadecimal digits, in lower case.
    """
    key = trace_key(trace_id)
    own_line = reader.execute(OWN, {"key": key, "trace_id": trace_id}).fetchone()
    if own_line is None:
        return None
    root, service, state = own_line
    asked = {"root": root, "service": service, "key": key, "limit": COMPARED_LIMIT}
    states = dict(reader.execute(OTHERS, asked).fetchall())
    alike = [other for other, found in states.items() if found == state]
    same_state = len(alike) >= max(COMPARED_LEAST, STATE_SHARE * len(states))
    compared = alike if same_state else list(states)
    shapes: dict[int, Counter[Key]] = {other: Counter() for other in compared}
    shapes[key] = Counter()
    for of, hop, service, name, times in reader.execute(SHAPES, {"keys": [*shapes]}).fetchall():
        shapes[of][hop, service, name] += times
    own = shapes.pop(key)
    answer = _judged(own, list(shapes.values()), same_state)
    if answer["missing"]:
        found = reader.execute(CALLERS, {"keys": compared}).fetchall()
        callers: dict[Key, Key] = {row[:3]: row[3:] for row in found}
        _place(answer["missing"], own, callers)
    return answer


def _place(missing: list[Missing], own: Mapping[Key, int], callers: Mapping[Key, Key]) -> None:
    """Say after which of its ``own`` steps each would have come: the nearest that called it."""
    above: dict[Key, int] = {}
    for one in missing:
        key: Key = one["hop"], one["service"], one["name"]
        passed = [key]
        caller = callers.get(key)
        while caller is not None and not own.get(caller) and caller not in passed:
            passed.append(caller)
            caller = callers.get(caller)
        if caller is not None and own.get(caller):
            hop, service, name = caller
            one["after"] = Step(hop=hop, service=service, name=name)
        above[key] = len(passed)
    missing.sort(key=lambda one: above[one["hop"], one["service"], one["name"]])


def _judged(
    own: Mapping[Key, int], others: Sequence[Mapping[Key, int]], same_state: bool
) -> UnusualShape:
    answer: UnusualShape = {
        "compared_with": len(others),
        "same_state": same_state,
        "missing": [],
        "repeated": [],
        "added": [],
    }
    if len(others) < COMPARED_LEAST:
        return answer
    having = Counter(key for other in others for key in other)
    for key, count in having.most_common():
        if count >= USUAL_SHARE * len(others) and not own.get(key):
            answer["missing"].append({**_unusual(key, count / len(others)), "after": None})
    for key, times in own.items():
        if having[key] <= SELDOM_SHARE * len(others):
            answer["added"].append(_unusual(key, having[key] / len(others)))
            continue
        counts = sorted(other.get(key, 0) for other in others)
        usual = counts[int(USUAL_SHARE * (len(counts) - 1))]
        if times > max(usual, 1):
            answer["repeated"].append(_repeated(key, times, usual))
    answer["repeated"].sort(key=lambda one: one["usual_times"] - one["times"])
    return answer


def _unusual(key: Key, share: float) -> Unusual:
    hop, service, name = key
    return {"hop": hop, "service": service, "name": name, "usual_share": share}


def _repeated(key: Key, times: int, usual_times: int) -> Repeated:
    hop, service, name = key
    return {
        "hop": hop,
        "service": service,
        "name": name,
        "times": times,
        "usual_times": usual_times,
    }
