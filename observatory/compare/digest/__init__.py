"""What is known of each trace as a whole, kept beside the raw rows in the same file.

Questions about many traces read a row a trace here instead of every span. The tables are a cache:
what they say follows from the raw rows, and a file with another version of them gets new ones.
``Digests`` brings them up to date, ``tables`` says what is in them, ``spans`` and ``facts`` make
it from the raw rows.
"""

from observatory.compare.digest.digests import Digests

__all__ = ["Digests"]
