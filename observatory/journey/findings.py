"""Findings: spans that look healthy and are probably not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from observatory.journey.conventions import Conventions
from observatory.journey.rows import QUEUEING_HOPS
from observatory.schemas.journey import Finding, Row

ROLLBACK = "rollback"
# The calls that a client makes after a rollback to run the transaction again.
RETRIES = frozenset({"begintransaction", "begin", "commit"})


def findings_of(rows: Sequence[Row], conventions: Conventions) -> list[Finding]:
    """Return the findings of a trace, in the order of its rows.

    - A transaction was rolled back, was not run again, and nothing in its caller says why: no
      error, no exception, no outcome.
    - A consumer ended without an error and without an outcome, in an app that declares outcomes.
    """
    children: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        children[row["parent_span_id"]].append(row)
    by_id = {row["span_id"]: row for row in rows}
    findings = [*_rolled_back(rows, by_id, children, conventions), *_no_outcome(rows, conventions)]
    order = {row["span_id"]: at for at, row in enumerate(rows)}
    return sorted(findings, key=lambda finding: order[finding["span_id"]])


def _rolled_back(
    rows: Sequence[Row],
    by_id: Mapping[str, Row],
    children: Mapping[str | None, Sequence[Row]],
    conventions: Conventions,
) -> Iterator[Finding]:
    for row in rows:
        caller = by_id.get(row["parent_span_id"] or "")
        if _operation(row) != ROLLBACK or caller is None:
            continue
        siblings = children[caller["span_id"]]
        callers = list(_callers(caller, by_id))
        ran_again = any(
            other["offset_ms"] >= row["offset_ms"] and _operation(other) in RETRIES
            for other in siblings
            if other is not row
        )
        explained = any(map(_has_error, (*callers, *siblings))) or any(
            _has_outcome(row, conventions) for row in callers
        )
        if not ran_again and not explained:
            yield {
                "kind": "rolled_back",
                "span_id": row["span_id"],
                "text": f"{caller['service']}: {caller['label']} rolled a transaction back, and no "
                "error or outcome says why",
            }


def _callers(row: Row, by_id: Mapping[str, Row]) -> Iterator[Row]:
    """Yield a span and those above it in its leg."""
    seen = set()
    at: Row | None = row
    while at is not None and at["leg"] == row["leg"] and at["span_id"] not in seen:
        seen.add(at["span_id"])
        yield at
        at = by_id.get(at["parent_span_id"] or "")


def _no_outcome(rows: Sequence[Row], conventions: Conventions) -> Iterator[Finding]:
    if not conventions.outcomes:
        return
    for row in rows:
        queued = row["kind"] == "SERVER" and row["hop"] in QUEUEING_HOPS
        consumes = row["party"] == "function" and (row["kind"] == "CONSUMER" or queued)
        if consumes and not _has_error(row) and not _has_outcome(row, conventions):
            yield {
                "kind": "no_outcome",
                "span_id": row["span_id"],
                "text": f"{row['service']}: {row['label']} ended without an error and without an "
                "outcome",
            }


def _operation(row: Row) -> str:
    """Return the operation of a span: the method of an RPC, or a database's operation."""
    operation = row["attributes"].get("db.operation.name") or row["attributes"].get("rpc.method")
    return str(operation or row["label"].rsplit("/", 1)[-1]).lower()


def _has_error(row: Row) -> bool:
    return row["error"] or any(event["name"] == "exception" for event in row["events"])


def _has_outcome(row: Row, conventions: Conventions) -> bool:
    return any(name in row["attributes"] for name in conventions.outcomes)
