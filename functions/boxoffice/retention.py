"""How long orders, tickets and audit entries are kept.

Firestore deletes a document some time after its `delete_at`, by the TTL policies in
rules/firestore.indexes.json. The emulator does not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import settings


def deletion() -> dict[str, datetime]:
    """Return the field with which Firestore deletes a document RETENTION_DAYS from now."""
    return {"delete_at": datetime.now(UTC) + timedelta(days=settings.retention_days())}
