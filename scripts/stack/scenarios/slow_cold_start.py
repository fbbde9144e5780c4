"""The first response of each new instance takes seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from observatory.schemas.journey import Journey, Row
from stack.errors import UserError
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations

# An instance ends after its second response, so two or three of these requests reach a new one.
REQUESTS = 6
# Well above the usual first response, even on a slow machine.
SLOW_MS = 500
SLOW_TIMES = 2


def provoke(context: ScenarioContext) -> Observation:
    """Request a price repeatedly while instances come and go."""
    show = context.open_show()
    requests = [context.quote(show) for _ in range(REQUESTS)]
    first: list[float] = []
    later: list[float] = []
    starting: list[float] = []
    answering: list[float] = []
    traces: list[str] = []
    for trace_id, took in requests:
        quote = context.wait_for_span(trace_id, "quote")
        is_new = attr(quote, "faas.coldstart")
        if not is_new and not first:
            continue  # an instance that started before the condition was turned on
        traces.append(trace_id)
        (first if is_new else later).append(took)
        if is_new:
            starting.append(took - quote["duration_ms"])
            answering.append(quote["duration_ms"])
    if len(first) < 2 or len(later) < 2:
        raise UserError(
            f"{len(first)} of {REQUESTS} prices came from a new instance; at least 2 are needed.",
            hint="Run the scenario again.",
        )
    # The minimum of each, because a busy machine delays some of the requests.
    slow, fast = min(first), min(later)
    symptom = (
        f"{len(first)} of {len(traces)} prices take {slow:.0f} ms or more, the others {fast:.0f} ms"
    )
    is_slow = min(answering) > SLOW_MS and min(answering) > SLOW_TIMES * min(starting)
    return Observation(traces, symptom if is_slow else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find work that dominates the first call in each new instance, and is in no other call."""
    new: dict[str, list[dict[str, float]]] = defaultdict(list)
    later: dict[str, set[str]] = defaultdict(set)
    for journey, row in invocations(journeys):
        work = internal_work_shares(journey, row)
        if attr(row, "faas.coldstart"):
            new[row["service"]].append(work)
        else:
            later[row["service"]].update(work)
    for function, usual in later.items():
        shares = new[function]
        for name in set[str]().union(*shares) - usual:
            if len(shares) > 1 and all(work.get(name, 0) > 0.5 for work in shares):
                share = min(work[name] for work in shares)
                return (
                    f"“{name}” is over {100 * share:.0f} % of {function} in each of {len(shares)} "
                    "new instances, and in no later call"
                )
    return None


def internal_work_shares(journey: Journey, row: Row) -> dict[str, float]:
    """Return the share of an invocation's time that each of its INTERNAL children took."""
    return {
        child["name"]: child["duration_ms"] / row["duration_ms"]
        for child in children(journey, row)
        if child["kind"] == "INTERNAL"
    }


SCENARIO = Scenario(
    fault="works-out-every-price",
    platform_conditions=("instances-come-and-go",),
    report="Every now and then a price takes seconds. I try again, and it is there at once.",
    reveals="All slow calls have faas.coldstart, and a row of work that no other call has.",
    fix="Do only what this call needs: an instance may end before the rest is used.",
    provoke=provoke,
    signature=signature,
)
