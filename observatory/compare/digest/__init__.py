"""Digests: a summary of each trace, stored in the same file as the raw rows.

Queries over many traces read one row per trace here instead of every span. The tables are a cache:
they are derived from the raw rows, and rebuilt when the file has another version of them.
``Digests`` keeps them up to date, ``tables`` defines them, and ``spans`` and ``facts`` compute
their rows.
"""

from observatory.compare.digest.digests import Digests

__all__ = ["Digests"]
