"""A person's own questions, in SQL, which can only read."""
