"""Assertions about a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from observatory.schemas.journey import Journey, Row
from tests.trace_plugin.failure import describe_query, describe_span, describe_spans, failure


class Trace:
    """A trace with assertions. A failed assertion fails the test and shows the trace.

    Spans are described by service, name and attributes. A service or a name that is None or left
    out matches any; an attribute that is None matches spans that lack it.

    Args:
        journey: the trace, as the Observatory's API returns it.
    """

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self._by_id = {row["span_id"]: row for row in journey["rows"]}

    def find(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> list[Row]:
        """Return the matching spans by start time."""
        return [
            row
            for row in sorted(self.journey["rows"], key=lambda row: row["offset_ms"])
            if service in (None, row["service"])
            and name in (None, row["name"])
            and all(row["attributes"].get(key) == value for key, value in attributes.items())
        ]

    def exactly(
        self,
        count: int,
        service: str | None = None,
        name: str | None = None,
        /,
        **attributes: object,
    ) -> list[Row]:
        """Assert that exactly ``count`` spans match, and return them by start time."""
        __tracebackhide__ = True
        rows = self.find(service, name, **attributes)
        if len(rows) != count:
            expected = {0: "no span", 1: "one span"}.get(count, f"{count} spans")
            found = describe_spans(rows)
            # If there are too few, the attributes of spans with the same name show why.
            others = self.find(service, name) if attributes and len(rows) < count else []
            if others:
                found += f", beside {describe_spans(others, tuple(attributes))}"
            raise self.failure(f"{expected} {describe_query(service, name, attributes)}", found)
        return rows

    def one(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> Row:
        """Assert that exactly one span matches, so that an effect happened once, and return it."""
        __tracebackhide__ = True
        (row,) = self.exactly(1, service, name, **attributes)
        return row

    def none(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> None:
        """Assert that no span matches."""
        __tracebackhide__ = True
        self.exactly(0, service, name, **attributes)

    def path(self, *services: str) -> list[Row]:
        """Assert that a span of each service is a descendant of one of the service before it.

        Other spans may be between them. The context was carried all the way, then. Return the
        spans.
        """
        __tracebackhide__ = True
        ends = self.find(services[-1])
        for last in ends:
            if rows := _in_order([*reversed(self.ancestors(last)), last], services):
                return rows
        paths = sorted({" → ".join(self._services_above(row)) for row in ends})
        raise self.failure(
            f"a path {' → '.join(services)}", "; ".join(paths) or f"no span of {services[-1]}"
        )

    def parent(self, child: Row, parent: Row) -> None:
        """Assert that `parent` is the parent of `child`."""
        __tracebackhide__ = True
        if child["parent_span_id"] != parent["span_id"]:
            above = self._by_id.get(child["parent_span_id"] or "")
            expected = f"{describe_span(parent)} as the parent of {describe_span(child)}"
            raise self.failure(expected, describe_span(above))

    def link(self, row: Row, to: Row) -> None:
        """Assert that `row` links to `to`, which may be in another trace."""
        __tracebackhide__ = True
        linked = [link["span_id"] for link in row["links"]]
        if to["span_id"] not in linked:
            targets = [
                describe_span(self._by_id[id_]) if id_ in self._by_id else id_ for id_ in linked
            ]
            found = f"links to {', '.join(targets)}" if targets else "no link"
            raise self.failure(f"a link from {describe_span(row)} to {describe_span(to)}", found)

    def no_orphans(self) -> None:
        """Assert that every parent is stored, and that every span reaches a declared root.

        This is stricter than the context coverage, which accepts a root that does not declare
        itself: in an app that uses throughline, such a root is a hop without an adapter.
        """
        __tracebackhide__ = True
        if orphans := [
            row
            for row in self.journey["rows"]
            if not row["covered"] or (row["parent_span_id"] is None and row["root"] is None)
        ]:
            raise self.failure(
                "no span that fails to reach a declared root", describe_spans(orphans)
            )

    def at_most(
        self,
        row: Row | None = None,
        /,
        *,
        hops: int | None = None,
        wait_ms: float | None = None,
        run_ms: float | None = None,
    ) -> None:
        """Assert upper limits for one span, or for every span of the trace.

        Args:
            row: the span; None for all.
            hops: the number of hops from the root to the span.
            wait_ms: the time that the span waited before it started.
            run_ms: the duration of the span.
        """
        __tracebackhide__ = True
        rows = self.journey["rows"] if row is None else [row]
        measures: tuple[tuple[float | None, str, Callable[[Row], float]], ...] = (
            (hops, "hops", self._hops_to),
            (wait_ms, "ms of waiting", _waited_ms),
            (run_ms, "ms of running", lambda each: each["duration_ms"]),
        )
        for limit, quantity, measure in measures:
            worst = max(rows, key=measure)
            if limit is not None and measure(worst) > limit:
                expected = f"at most {limit:g} {quantity} for {describe_span(worst)}"
                raise self.failure(expected, f"{measure(worst):g}")

    def ancestors(self, row: Row) -> list[Row]:
        """Return the ancestors of a span, nearest first."""
        ancestors: list[Row] = []
        above = self._by_id.get(row["parent_span_id"] or "")
        while above is not None and above not in ancestors:
            ancestors.append(above)
            above = self._by_id.get(above["parent_span_id"] or "")
        return ancestors

    def failure(self, expected: str, found: str) -> BaseException:
        """Return the exception for another failed assertion, in the same format."""
        return failure(self.journey, expected, found)

    def _hops_to(self, row: Row) -> int:
        return sum(1 for each in [row, *self.ancestors(row)] if each["hop"])

    def _services_above(self, row: Row) -> list[str]:
        names: list[str] = []
        for each in [*reversed(self.ancestors(row)), row]:
            if each["service"] not in names[-1:]:
                names.append(each["service"])
        return names


def _waited_ms(row: Row) -> float:
    return row["wait"]["duration_ms"] if row["wait"] else 0.0


def _in_order(chain: Sequence[Row], services: Sequence[str]) -> list[Row]:
    matched: list[Row] = []
    for row in chain:
        if len(matched) < len(services) and row["service"] == services[len(matched)]:
            matched.append(row)
    return matched if len(matched) == len(services) else []
