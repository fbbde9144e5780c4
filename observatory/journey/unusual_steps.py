"""Compare a trace with others of the same root: missing, repeated and added steps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import duckdb

from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.journey.reading import trace_key
from observatory.schemas.comparison import Missing, Repeated, Step, Unusual, UnusualSteps

COMPARED_LIMIT = 200
COMPARED_MIN = 5
USUAL_SHARE = 0.9
RARE_SHARE = 0.1
# While it is not known which states are final, traces in the same state are compared only when at
# least this share of the others is. A trace that got stuck is then compared with those that went
# on, not with the few that got stuck too.
SAME_STATE_SHARE = 0.1
# When more of the compared traces are broken, what is usual in them is not what is right.
WEAK_SHARE = 0.5

Key = tuple[str | None, str, str]

OWN = """
select root, root_service, state from trace_digests
where trace_key = $key and trace_id = $trace_id
"""
OTHERS = """
select trace_key, state, errors > 0 or covered < spans from trace_digests
where root = $root and root_service = $service and trace_key <> $key
order by started desc limit $limit
"""
STEPS = """
select trace_key, hop, service_name, name, count(distinct span_id) from raw_spans
where trace_key in (select unnest($keys::ubigint[]))
group by all
"""
# Ascending, so that the most frequent caller of a step is the last and overwrites the others.
CALLERS = """
select called.hop, called.service_name, called.name, caller.hop, caller.service_name, caller.name
from raw_spans as called join raw_spans as caller
    on caller.trace_key = called.trace_key and caller.span_id = called.parent_span_id
where called.trace_key in (select unnest($keys::ubigint[]))
group by all order by count(*), 4, 5, 6
"""


def unusual_steps(
    reader: duckdb.DuckDBPyConnection, trace_id: str, conventions: Conventions = NO_CONVENTIONS
) -> UnusualSteps | None:
    """Compare a trace's steps with those of the most recent traces with the same root.

    Spans with the same hop, service and name are the same step. A step is missing when at least
    90 % of the others have it, repeated when it occurs less often in at least 90 % of them, and
    added when at most 10 % have it. Returns None when the trace has no stored spans.

    A trace whose subject reached a final state is compared with others that reached the same one,
    and any other trace with those whose subject reached a good one. If there are too few of them,
    or the final states are not known, it is compared with all others.

    Args:
        reader: a cursor of a store whose digests are up to date.
        trace_id: 32 hexadecimal digits, in lower case.
        conventions: which states are final.
    """
    key = trace_key(trace_id)
    digest = reader.execute(OWN, {"key": key, "trace_id": trace_id}).fetchone()
    if digest is None:
        return None
    root, service, state = digest
    parameters = {"root": root, "service": service, "key": key, "limit": COMPARED_LIMIT}
    others = [_Other(*row) for row in reader.execute(OTHERS, parameters).fetchall()]
    compared, same_state = _comparable(others, state, conventions)
    steps: dict[int, Counter[Key]] = {other.key: Counter() for other in compared}
    steps[key] = Counter()
    rows = reader.execute(STEPS, {"keys": [*steps]}).fetchall()
    for row_key, hop, service, name, times in rows:
        steps[row_key][hop, service, name] += times
    own = steps.pop(key)
    unusual = _compare(own, list(steps.values()), same_state)
    broken = sum(other.is_broken(conventions) for other in compared)
    unusual["weak_baseline"] = broken > WEAK_SHARE * len(compared)
    if unusual["missing"]:
        rows = reader.execute(CALLERS, {"keys": [*steps]}).fetchall()
        callers: dict[Key, Key] = {row[:3]: row[3:] for row in rows}
        _set_preceding_steps(unusual["missing"], own, callers)
    return unusual


class _Other(NamedTuple):
    """A trace with the same root; ``failed``: it has errors, or lost its context."""

    key: int
    state: str | None
    failed: bool

    def is_broken(self, conventions: Conventions) -> bool:
        """Return whether it failed, or its subject reached a bad final state or none."""
        if not conventions.final_states or self.state is None:
            return self.failed
        return self.failed or conventions.tone(self.state) in (None, "bad")


def _comparable(
    others: Sequence[_Other], state: str | None, conventions: Conventions
) -> tuple[Sequence[_Other], bool]:
    """Return the traces to compare with, and whether they are those in the same state."""
    in_same_state = [other for other in others if other.state == state]
    if conventions.final_states and state is not None:
        if conventions.tone(state) is not None:
            same_state = len(in_same_state) >= COMPARED_MIN
            return (in_same_state if same_state else others), same_state
        good = [other for other in others if conventions.tone(other.state) == "good"]
        return (good if len(good) >= COMPARED_MIN else others), False
    same_state = len(in_same_state) >= max(COMPARED_MIN, SAME_STATE_SHARE * len(others))
    return (in_same_state if same_state else others), same_state


def _set_preceding_steps(
    missing: list[Missing], own: Mapping[Key, int], callers: Mapping[Key, Key]
) -> None:
    """Set ``after`` to the nearest caller among the ``own`` steps, and sort callers first.

    A step whose caller is missing too ``follows`` from that.
    """
    chain_lengths: dict[Key, int] = {}
    for step in missing:
        key: Key = step["hop"], step["service"], step["name"]
        chain = [key]
        caller = callers.get(key)
        while caller is not None and not own.get(caller) and caller not in chain:
            chain.append(caller)
            caller = callers.get(caller)
        if caller is not None and own.get(caller):
            hop, service, name = caller
            step["after"] = Step(hop=hop, service=service, name=name)
        chain_lengths[key] = len(chain)
        step["follows"] = len(chain) > 1
    missing.sort(key=lambda step: chain_lengths[step["hop"], step["service"], step["name"]])


def _compare(
    own: Mapping[Key, int], others: Sequence[Mapping[Key, int]], same_state: bool
) -> UnusualSteps:
    unusual: UnusualSteps = {
        "compared_with": len(others),
        "same_state": same_state,
        "weak_baseline": False,
        "missing": [],
        "repeated": [],
        "added": [],
    }
    if len(others) < COMPARED_MIN:
        return unusual
    traces_with = Counter(key for other in others for key in other)
    for key, count in traces_with.most_common():
        if count >= USUAL_SHARE * len(others) and not own.get(key):
            unusual["missing"].append(
                {**_unusual(key, count / len(others)), "after": None, "follows": False}
            )
    for key, times in own.items():
        if traces_with[key] <= RARE_SHARE * len(others):
            unusual["added"].append(_unusual(key, traces_with[key] / len(others)))
            continue
        counts = sorted(other.get(key, 0) for other in others)
        usual_times = counts[int(USUAL_SHARE * (len(counts) - 1))]
        if times > max(usual_times, 1):
            unusual["repeated"].append(_repeated(key, times, usual_times))
    unusual["repeated"].sort(key=lambda step: step["usual_times"] - step["times"])
    return unusual


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
