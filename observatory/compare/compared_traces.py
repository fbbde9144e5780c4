"""The traces of a contrast: the selected ones, each inside the subset or outside of it."""

from typing import Any

import duckdb

from observatory.compare.matching import Condition

MATERIALISED = """
create or replace temp table compared as
select t.trace, {inside} as inside from trace_digests as t where {condition}
"""
FROM_TABLE = "(from trace_digests join compared using (trace))"
# Evaluating conditions on times again is faster than joining with a temporary table.
FROM_CONDITIONS = "(select t.*, {inside} as inside from trace_digests as t where {condition})"


class ComparedTraces:
    """A relation of trace digests with a column ``inside``, for several queries.

    Args:
        reader: the cursor of both conditions.
        condition: the selected traces.
        inside: those of them inside the subset; shares its parameters with ``condition``.
        materialised: whether to evaluate both conditions only once, because a filter can be slow.
    """

    def __init__(
        self,
        reader: duckdb.DuckDBPyConnection,
        condition: Condition,
        inside: Condition,
        *,
        materialised: bool,
    ) -> None:
        self._reader = reader
        texts = {"inside": inside.sql, "condition": condition.sql}
        self._sql, self._values = FROM_CONDITIONS.format(**texts), condition.values
        if materialised:
            reader.execute(MATERIALISED.format(**texts), condition.values)
            self._sql, self._values = FROM_TABLE, {}

    def query(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, in which ``{traces}`` is replaced by this relation."""
        return self._reader.execute(
            query.format(traces=self._sql), {**self._values, **parameters}
        ).fetchall()
