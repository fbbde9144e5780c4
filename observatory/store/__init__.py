"""Store rows in one DuckDB file with one writer and any number of readers."""

from observatory.store.database import Store
from observatory.store.opening import StoreRefused, cursor_of
from observatory.store.retention import Limits, Retention
from observatory.store.tables import SCHEMA_VERSION

__all__ = ["SCHEMA_VERSION", "Limits", "Retention", "Store", "StoreRefused", "cursor_of"]
