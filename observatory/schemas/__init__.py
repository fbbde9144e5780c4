"""The types of the API's JSON bodies, which the API's routes return and ``client`` reads.

Durations and offsets are in milliseconds, with a fraction. Offsets are relative to the start of the
trace's first span. Absolute times are nanoseconds since 1970 as strings, because a JSON number
cannot hold them exactly.
"""
