"""The traces that are compared: the selected ones, each of which is inside or among the rest."""

from typing import Any

import duckdb

from observatory.compare.matching import Condition

MATERIALISED = """
create or replace temp table compared as
select t.trace, {inside} as inside from trace_digests as t where {condition}
"""
FROM_TABLE = "(from trace_digests join compared using (trace))"
# To ask again where a trace is by its times takes less than to note it and join what was noted.
FROM_CONDITIONS = "(select t.*, {inside} as inside from trace_digests as t where {condition})"


class ComparedTraces:
    """Digests with a column ``inside``, to be asked about several times.

    Args:
        reader: the cursor that both conditions were made for.
        condition: which traces are selected.
        inside: which of them are inside; shares its parameters with ``condition``.
        materialised: whether to evaluate both only once: a filter may take long.
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
        """The rows of a query in which ``{traces}`` stands for these traces, once at least."""
        return self._reader.execute(
            query.format(traces=self._sql), {**self._values, **parameters}
        ).fetchall()
