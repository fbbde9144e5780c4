"""Places many orders at once, and reports their final states."""
