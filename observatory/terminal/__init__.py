"""``./scripts/trace``: query the Observatory from the terminal, over HTTP only."""
