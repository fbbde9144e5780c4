"""The result of reading a request: rows for the store, and what was rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from observatory.receive.attributes import resource_of
from observatory.store.rows import Resource, Rows

INT64_MAX = pa.scalar(2**63 - 1, pa.uint64())


@dataclass(frozen=True)
class Batch:
    """Rows ready for the store, and what was rejected.

    ``rejected`` counts the rejected items. ``reason`` describes them, and what was dropped from or
    repaired in other items; it is empty if there is nothing to report.
    """

    rows: Rows
    rejected: int
    reason: str

    def with_rejected(self, rejected: int, reason: str) -> "Batch":
        """Return the batch with further rejected items and the reason for them."""
        reasons = " ".join(filter(None, (reason, self.reason)))
        return replace(self, rejected=self.rejected + rejected, reason=reasons)


class Origins:
    """The resources and scopes that rows came from.

    Args:
        resources: the serialized ``Resource`` of each scope.
        scopes: the name of each scope.

    Raises:
        DecodeError: one of ``resources`` is not a resource.
    """

    def __init__(self, resources: pa.BinaryArray, scopes: pa.StringArray) -> None:
        distinct = resources.dictionary_encode()
        distinct_resources = [resource_of(raw) for raw in distinct.dictionary.to_pylist()]
        self._of_scope = {
            "service_name": pa.array(
                [service for _, service in distinct_resources], pa.string()
            ).take(distinct.indices),
            "scope_name": scopes,
            "resource_id": pa.array(
                [resource.id for resource, _ in distinct_resources], pa.uint64()
            ).take(distinct.indices),
        }
        self.resources: Sequence[Resource] = [resource for resource, _ in distinct_resources]

    def columns(self, scope_of_row: pa.Array) -> dict[str, pa.Array]:
        """Return the columns of the store for resource and scope, by each row's scope index."""
        return {name: column.take(scope_of_row) for name, column in self._of_scope.items()}


def nested(
    batch: pa.RecordBatch, groups: str, scopes: str, items: str
) -> tuple[Origins, pa.StructArray, pa.Array]:
    """Flatten requests; return the origins, the items and the scope index of each item.

    Args:
        batch: requests; each of ``groups`` has ``scopes``, and each of those ``items``.

    Raises:
        DecodeError: one of the resources cannot be read.
    """
    resource_groups = batch.column(groups).flatten()
    lists = resource_groups.field(scopes)
    of_scope = lists.flatten()
    resources = resource_groups.field("resource").take(pc.list_parent_indices(lists))
    names = pc.struct_field(of_scope, ["scope", "name"]).fill_null("")
    items_of_scope = of_scope.field(items)
    return (
        Origins(resources, names),
        items_of_scope.flatten(),
        pc.list_parent_indices(items_of_scope),
    )


def kept(
    items: pa.StructArray, scopes: pa.Array, valid: pa.BooleanArray
) -> tuple[dict[str, pa.Array], pa.Array, int]:
    """Return the fields and scope indexes of the items that are ``valid``, and how many are not."""
    rejected = len(items) - (pc.sum(valid).as_py() or 0)
    if rejected:
        items, scopes = items.filter(valid), scopes.filter(valid)
    names = [items.type.field(at).name for at in range(items.type.num_fields)]
    return {name: items.field(name) for name in names}, scopes, rejected


def nanoseconds(times: pa.UInt64Array) -> pa.Int64Array:
    """Convert OTLP's unsigned times to the signed ones of the store."""
    return pc.min_element_wise(times, INT64_MAX, skip_nulls=False).cast(pa.int64())


def rejection(rejected: int, noun: str) -> str:
    """Say in a sentence why ``rejected`` items of that name were rejected; empty for none."""
    if not rejected:
        return ""
    return (
        f"{rejected} {noun}{'' if rejected == 1 else 's'} rejected: a trace id is 16 bytes and a "
        "span id 8, not all zero."
    )
