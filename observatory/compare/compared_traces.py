"""The traces that are compared: the selected ones, each of which is inside or among the rest."""

from typing import Any

import duckdb

from observatory.compare.matching import Condition

CHOSEN = """
create or replace temp table chosen as
select t.trace, {inside} as inside from trace_digests as t where {condition}
"""
JOINED = "(from trace_digests join chosen using (trace))"
# To ask again where a trace is by its times takes less than to note it and join what was noted.
JUDGED = "(select t.*, {inside} as inside from trace_digests as t where {condition})"


class Chosen:
    """Digests with a column ``inside``, to be asked about several times.

    Args:
        reader: the cursor that both conditions were made for.
        condition: which traces are selected.
        inside: which of them are inside; shares its parameters with ``condition``.
        noted: whether to evaluate both only once: a filter may take long.
    """

    def __init__(
        self,
        reader: duckdb.DuckDBPyConnection,
        condition: Condition,
        inside: Condition,
        *,
        noted: bool,
    ) -> None:
        self._reader = reader
        texts = {"inside": inside.sql, "condition": condition.sql}
        self._sql, self._values = JUDGED.format(**texts), condition.values
        if noted:
            reader.execute(CHOSEN.format(**texts), condition.values)
            self._sql, self._values = JOINED, {}

    def ask(self, query: str, **asked: Any) -> list[tuple[Any, ...]]:
        """The rows of a query in which ``{traces}`` stands for these traces, once at least."""
        return self._reader.execute(
            query.format(traces=self._sql), {**self._values, **asked}
        ).fetchall()
