"""Context coverage of all stored spans."""

import duckdb

from observatory.compare.trace_list import trace_lines
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.schemas.traces import Coverage, HopCoverage, ServiceCoverage

BROKEN_LIMIT = 20

BY_SERVICE = """
select service, sum(spans)::bigint, sum(covered)::bigint, sum(orphans)::bigint
from trace_services group by service order by service
"""
BY_HOP = """
select hop, count(*) filter (where context = 'carried'), count(*) filter (where context = 'absent'),
    count(*) filter (where context = 'invalid'), count(*) filter (where orphan)
from trace_hops where hop is not null group by hop order by hop
"""
# A declared root has no parent, so it counts as receiving and is in trace_hops.
ROOTS = """
select root, count(*) from trace_hops where root is not null and sender is null and not orphan
group by root order by root
"""
BROKEN = f"""
select trace from trace_digests where orphans > 0 or covered < spans
order by started desc, trace_id limit {BROKEN_LIMIT}
"""


def coverage_of_everything(
    reader: duckdb.DuckDBPyConnection, conventions: Conventions = NO_CONVENTIONS
) -> Coverage:
    """Return the context coverage of all stored spans, by service and by hop.

    It includes the newest traces with orphans or uncovered spans.
    """
    services: list[ServiceCoverage] = [
        {"service": service, "spans": spans, "covered": covered, "orphans": orphans}
        for service, spans, covered, orphans in reader.execute(BY_SERVICE).fetchall()
    ]
    hops: list[HopCoverage] = [
        {"hop": hop, "carried": carried, "absent": absent, "invalid": invalid, "orphans": orphans}
        for hop, carried, absent, invalid, orphans in reader.execute(BY_HOP).fetchall()
    ]
    spans = sum(service["spans"] for service in services)
    covered = sum(service["covered"] for service in services)
    broken = [trace for (trace,) in reader.execute(BROKEN).fetchall()]
    (traces,) = reader.execute("select count(*) from trace_digests").fetchone() or (0,)
    return {
        "spans": spans,
        "traces": traces,
        "covered": covered,
        "orphans": sum(service["orphans"] for service in services),
        "coverage": covered / spans if spans else None,
        "services": services,
        "hops": hops,
        "roots": dict(reader.execute(ROOTS).fetchall()),
        "broken": trace_lines(reader, broken, conventions),
    }
