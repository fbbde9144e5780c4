"""One trace, and what a test may say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from observatory.schemas.journey import Journey, Row
from tests.trace_plugin.failure import failure, listed, named, wanted


class Trace:
    """One trace, and what a test may say of it.

    `journey` is the trace as the Observatory's API gives it. Every method that says something fails
    the test, and shows the trace, where it isn't so. Spans are described by service, name and
    attributes. None and nothing stand for any service or name; an attribute is None where it is
    absent.
    """

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self._by_id = {row["span_id"]: row for row in journey["rows"]}

    def find(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> list[Row]:
        """The spans that are so, as they began."""
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
        """So many spans are so, no more and no fewer; returns them as they began."""
        __tracebackhide__ = True
        found = self.find(service, name, **attributes)
        if len(found) != count:
            expected = {0: "no span", 1: "one span"}.get(count, f"{count} spans")
            came = listed(found)
            # Where too few came, the attributes of the others tell why.
            others = self.find(service, name) if attributes and len(found) < count else []
            if others:
                came += f", beside {listed(others, tuple(attributes))}"
            raise self.failure(f"{expected} {wanted(service, name, attributes)}", came)
        return found

    def one(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> Row:
        """The one span that is so: an effect that happened exactly once."""
        __tracebackhide__ = True
        (found,) = self.exactly(1, service, name, **attributes)
        return found

    def none(
        self, service: str | None = None, name: str | None = None, /, **attributes: object
    ) -> None:
        """No span is so."""
        __tracebackhide__ = True
        self.exactly(0, service, name, **attributes)

    def path(self, *services: str) -> list[Row]:
        """A span of each service, each below the one before, whatever lies between; returns them.

        Below means a descendant: the context was carried all the way.
        """
        __tracebackhide__ = True
        ends = self.find(services[-1])
        for last in ends:
            if found := _in_order([*reversed(self.ancestors(last)), last], services):
                return found
        came = sorted({" → ".join(self._services_above(row)) for row in ends})
        raise self.failure(
            f"a path {' → '.join(services)}", "; ".join(came) or f"no span of {services[-1]}"
        )

    def parent(self, child: Row, parent: Row) -> None:
        """`parent` is the span directly above `child`."""
        __tracebackhide__ = True
        if child["parent_span_id"] != parent["span_id"]:
            above = self._by_id.get(child["parent_span_id"] or "")
            raise self.failure(f"{named(parent)} directly above {named(child)}", named(above))

    def link(self, row: Row, to: Row) -> None:
        """`row` links `to`, which may lie in another trace."""
        __tracebackhide__ = True
        linked = [link["span_id"] for link in row["links"]]
        if to["span_id"] not in linked:
            where = [named(self._by_id[id_]) if id_ in self._by_id else id_ for id_ in linked]
            came = f"links to {', '.join(where)}" if where else "no link"
            raise self.failure(f"a link from {named(row)} to {named(to)}", came)

    def no_orphans(self) -> None:
        """Every parent that is named is stored, and every span leads to a declared root."""
        __tracebackhide__ = True
        if lost := [row for row in self.journey["rows"] if row["orphan"] or not row["covered"]]:
            raise self.failure("no span that leads nowhere", listed(lost))

    def at_most(
        self,
        row: Row | None = None,
        /,
        *,
        hops: int | None = None,
        wait_ms: float | None = None,
        run_ms: float | None = None,
    ) -> None:
        """Reached over at most so many hops, after waiting so long, and run for so long.

        Of one span, or of every span of the trace.
        """
        __tracebackhide__ = True
        rows = self.journey["rows"] if row is None else [row]
        measures: tuple[tuple[float | None, str, Callable[[Row], float]], ...] = (
            (hops, "hops", self._hops_to),
            (wait_ms, "ms of waiting", _waited_ms),
            (run_ms, "ms of running", lambda each: each["duration_ms"]),
        )
        for limit, what, measure in measures:
            worst = max(rows, key=measure)
            if limit is not None and measure(worst) > limit:
                expected = f"at most {limit:g} {what} for {named(worst)}"
                raise self.failure(expected, f"{measure(worst):g}")

    def ancestors(self, row: Row) -> list[Row]:
        """The spans above one, the nearest first."""
        found: list[Row] = []
        above = self._by_id.get(row["parent_span_id"] or "")
        while above is not None and above not in found:
            found.append(above)
            above = self._by_id.get(above["parent_span_id"] or "")
        return found

    def failure(self, expected: str, came: str) -> BaseException:
        """What to raise where something else isn't so, in the same words."""
        return failure(self.journey, expected, came)

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
    found: list[Row] = []
    for row in chain:
        if len(found) < len(services) and row["service"] == services[len(found)]:
            found.append(row)
    return found if len(found) == len(services) else []
