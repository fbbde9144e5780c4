"""``./scripts/trace``: the Observatory in the terminal, over HTTP only."""
