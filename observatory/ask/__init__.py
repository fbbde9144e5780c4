"""Answer users' read-only SQL queries."""
