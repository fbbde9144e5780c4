"""The JSON that the API answers with, as types: what the rooms make and ``client`` reads.

Durations and offsets are milliseconds with a fraction; an offset counts from the first span's
start. Absolute times are nanoseconds since 1970, as text, because they don't fit a JSON number.
"""
