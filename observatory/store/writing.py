"""Write the rows of several requests in one transaction, without duplicate spans."""

import time
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from observatory.store.promotions import Promotions, with_promoted_columns
from observatory.store.recent import REMEMBERED, Recent
from observatory.store.rows import (
    ATTRIBUTE_SCHEMAS,
    KINDS,
    MAP,
    RESOURCES,
    AttributeSchema,
    Kind,
    Resource,
    Rows,
)


class RowWriter:
    """Writes rows to the file, and caches which spans, resources and schemas it already holds.

    Args:
        cursor: the writer's own cursor.
        promotions: the attributes that have columns of their own.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, promotions: Promotions) -> None:
        self._cursor = cursor
        self._promoted = promotions.each
        self._recent = Recent()
        self._resources: set[int] = set()
        self._schemas: set[int] = set()
        self._watermark = 0
        self._folded = 0
        self.reload()

    @property
    def folded(self) -> int:
        """Return the journal's position up to which its requests are in the file."""
        return self._folded

    def fold_to(self, position: int) -> None:
        """Set the journal's position in the current transaction.

        If the transaction is rolled back, call ``reload``.
        """
        self._cursor.execute("update journal_state set position = ?", [position])
        self._folded = position

    def reload(self) -> None:
        """Reload the caches from the file, at the start and whenever rows were deleted."""
        self._recent.forget()
        rows = self._cursor.execute(
            "select trace_id || span_id from raw_spans order by received_unix_nano desc limit ?",
            [REMEMBERED],
        ).fetchall()
        self._recent.remember(bytes.fromhex(identity) for (identity,) in rows)
        self._resources = {
            id_ for (id_,) in self._cursor.execute("select resource_id from resources").fetchall()
        }
        self._schemas = {
            id_
            for (id_,) in self._cursor.execute("select schema_id from attribute_schemas").fetchall()
        }
        for kind in KINDS:
            last = self._cursor.execute(
                f"select max(received_unix_nano) from raw_{kind}"  # noqa: S608
            ).fetchone()
            self._watermark = max(self._watermark, (last and last[0]) or 0)
        state = self._cursor.execute("select position from journal_state").fetchone()
        self._folded = state[0] if state else 0

    def commit(self, group: Sequence[Rows], folded: int | None = None) -> None:
        """Write the rows in one transaction, all or nothing.

        Args:
            group: the rows.
            folded: the journal's position after the requests that the rows are from; None if they
                are not from the journal.

        Raises:
            duckdb.Error, pyarrow.ArrowException: the rows could not be written.
        """
        stamp = max(time.time_ns(), self._watermark + 1)
        new_identities: set[bytes] = set()
        tables: dict[Kind, list[pa.Table]] = {kind: [] for kind in KINDS}
        resources: dict[int, Resource] = {}
        schemas: dict[int, AttributeSchema] = {}
        for rows in group:
            table = self._without_duplicates(rows, new_identities)
            if rows.kind == "spans":
                table = with_promoted_columns(table, rows.schemas, self._promoted)
            tables[rows.kind].append(table)
            resources |= {each.id: each for each in rows.resources}
            schemas |= {each.id: each for each in rows.schemas}
        new_resources = [each for id_, each in resources.items() if id_ not in self._resources]
        new_schemas = [each for id_, each in schemas.items() if id_ not in self._schemas]
        self._cursor.begin()
        if new_resources:
            self._insert("resources", _resource_table(new_resources), "")
        if new_schemas:
            self._insert("attribute_schemas", _schema_table(new_schemas), "")
        for kind, kind_tables in tables.items():
            if kind_tables:
                self._insert(
                    f"raw_{kind}", pa.concat_tables(kind_tables), f", {stamp} as received_unix_nano"
                )
        if folded is not None:
            self._cursor.execute("update journal_state set position = ?", [folded])
        self._cursor.commit()
        self._folded = self._folded if folded is None else folded
        self._recent.remember(new_identities)
        self._resources.update(each.id for each in new_resources)
        self._schemas.update(each.id for each in new_schemas)
        self._watermark = stamp

    def _without_duplicates(self, rows: Rows, new_identities: set[bytes]) -> pa.Table:
        """Return the rows without the spans that are stored or in ``new_identities``.

        The identities of the other spans are added to ``new_identities``.
        """
        identities = set(rows.identities)
        duplicates = self._recent.known(identities) | (new_identities & identities)
        if not duplicates and len(identities) == len(rows.identities):
            new_identities |= identities
            return rows.table
        keep = []
        for identity in rows.identities:
            keep.append(identity not in duplicates)
            duplicates.add(identity)
        new_identities |= identities
        return rows.table.filter(pa.array(keep, pa.bool_()))

    def _insert(self, table: str, rows: pa.Table, extra_columns: str) -> None:
        self._cursor.register("incoming", rows.combine_chunks().to_reader())
        try:
            self._cursor.execute(
                f"insert into {table} by name select *{extra_columns} from incoming"  # noqa: S608
            )
        finally:
            self._cursor.unregister("incoming")


def _resource_table(resources: Sequence[Resource]) -> pa.Table:
    return pa.table(
        {
            "resource_id": pa.array([each.id for each in resources], pa.uint64()),
            "attributes": pa.array(
                [list(zip(each.keys, each.texts, strict=True)) for each in resources], MAP
            ),
            "attribute_types": pa.array([each.types for each in resources], pa.string()),
        },
        schema=RESOURCES,
    )


def _schema_table(schemas: Sequence[AttributeSchema]) -> pa.Table:
    return pa.table(
        {
            "schema_id": pa.array([each.id for each in schemas], pa.uint64()),
            "attribute_keys": pa.array([each.keys for each in schemas], pa.list_(pa.string())),
            "attribute_types": pa.array([each.types for each in schemas], pa.string()),
        },
        schema=ATTRIBUTE_SCHEMAS,
    )
