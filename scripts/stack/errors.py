"""What can go wrong for reasons outside Throughline."""


class Problem(Exception):
    """One line for a person: what is wrong, and the mend. The commands print it and exit with 1."""
