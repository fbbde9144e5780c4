"""Promoted attributes: span attributes that have a column and a filter key of their own.

The observed app's configuration names the promoted attributes. They are stored in the file's table
``promoted_attributes``, so that the columns of a file are known without that configuration.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from observatory.store.rows import NULL, AttributeSchema

# subject: what a trace is about, such as an order; taken from the trace's earliest span with one.
# state: the state of that subject; taken from the trace's span with one that ends last.
Role = Literal["subject", "state"]


@dataclass(frozen=True)
class Promotion:
    """One promoted attribute.

    Args:
        column: the column of ``spans`` and ``traces`` in SQL, and the field in JSON responses.
        attribute: the key of the span attribute.
        key: its name in filters.
        description: what its value on a span means, in a few words.
        trace_description: what its value for a trace means.
        role: its special meaning to the Observatory; None if it has none.
    """

    column: str
    attribute: str
    key: str
    description: str
    trace_description: str
    role: Role | None = None

    @property
    def sql(self) -> str:
        """Return the column as a quoted SQL identifier."""
        return f'"{self.column}"'


@dataclass(frozen=True)
class Promotions:
    """The promoted attributes of a file, in the order of the configuration."""

    each: tuple[Promotion, ...] = ()

    @property
    def subject(self) -> Promotion | None:
        """Return the attribute that identifies what a trace is about; None if there is none."""
        return self._with_role("subject")

    @property
    def state(self) -> Promotion | None:
        """Return the attribute that holds the state of the subject; None if there is none."""
        return self._with_role("state")

    def _with_role(self, role: Role) -> Promotion | None:
        return next((each for each in self.each if each.role == role), None)

    def fields(self, subject: str | None, state: str | None) -> dict[str, str | None]:
        """Return the fields of a JSON response about one trace, keyed by column."""
        values = ((self.subject, subject), (self.state, state))
        return {each.column: value for each, value in values if each is not None}


NO_PROMOTIONS = Promotions()


def promotions_of(reader: duckdb.DuckDBPyConnection) -> Promotions:
    """Return the promoted attributes of the file that ``reader`` reads."""
    rows = reader.execute(
        "select column_name, attribute, filter_key, description, trace_description, role "
        "from promoted_attributes order by position"
    ).fetchall()
    return Promotions(tuple(Promotion(*row) for row in rows))


def hints(reader: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a message for each promoted attribute that no stored span has.

    If a stored attribute has a similar key, the message suggests it.
    """
    known = [
        key
        for (key,) in reader.execute(
            "select distinct unnest(attribute_keys) from attribute_schemas"
        ).fetchall()
    ]
    messages = []
    for each in promotions_of(reader).each:
        if each.attribute not in known:
            message = f"{each.attribute} is promoted to {each.column}, but no stored span has it"
            close = difflib.get_close_matches(each.attribute, known, 1)
            messages.append(f"{message}: did you mean {close[0]}?" if close else f"{message}.")
    return messages


def promote(connection: duckdb.DuckDBPyConnection, wanted: Promotions) -> bool:
    """Make the promoted columns of ``raw_spans`` those of ``wanted``.

    New columns are filled from the stored attributes, which keep every value.

    Returns:
        Whether columns of stored spans changed.
    """
    stored = promotions_of(connection)
    if stored == wanted:
        return False
    connection.begin()
    before = {each.column: each for each in stored.each}
    after = {each.column: each for each in wanted.each}
    kept = {
        column
        for column in before.keys() & after.keys()
        if before[column].attribute == after[column].attribute
    }
    for column in before.keys() - kept:
        connection.execute(f"alter table raw_spans drop column {before[column].sql}")
    for column in after.keys() - kept:
        connection.execute(f"alter table raw_spans add column {after[column].sql} varchar")
    for column in after.keys() - kept:
        connection.execute(
            f"""
            update raw_spans set {after[column].sql} = attribute_values[place]
            from (
                select schema_id, attribute_types,
                    list_position(attribute_keys, $attribute) as place
                from attribute_schemas where list_contains(attribute_keys, $attribute)
            ) as attribute_schema
            where raw_spans.schema_id = attribute_schema.schema_id
                and substring(attribute_types, place, 1) <> '{NULL}'
            """,  # noqa: S608  # the configuration's reader checked the name
            {"attribute": after[column].attribute},
        )
    connection.execute("delete from promoted_attributes")
    for position, each in enumerate(wanted.each):
        connection.execute(
            "insert into promoted_attributes values (?, ?, ?, ?, ?, ?, ?)",
            [
                position,
                each.column,
                each.attribute,
                each.key,
                each.description,
                each.trace_description,
                each.role,
            ],
        )
    connection.commit()
    changed = bool(before.keys() ^ kept or after.keys() ^ kept)
    return changed and connection.execute("from raw_spans limit 1").fetchone() is not None


def with_promoted_columns(
    spans: pa.Table, schemas: Iterable[AttributeSchema], promoted: Sequence[Promotion]
) -> pa.Table:
    """Return the span rows with a column for each promoted attribute.

    Args:
        spans: rows with the schema ``SPANS``.
        schemas: the attribute schemas that the rows refer to.
        promoted: the attributes to add.
    """
    known = list(schemas)
    schema_of_row = pc.index_in(
        spans["schema_id"].combine_chunks(), pa.array([each.id for each in known], pa.uint64())
    )
    values = spans["attribute_values"].combine_chunks()
    for each in promoted:
        places = pa.array([schema.place(each.attribute) for schema in known], pa.int32())
        if places.null_count == len(places):
            column = pa.nulls(len(values), pa.string())
        else:
            begins = values.offsets.slice(0, len(values))
            column = values.values.take(pc.add(begins, places.take(schema_of_row)))
        spans = spans.append_column(each.column, column)
    return spans
