"""The Observatory: where a trace ends.

The rooms, in the order a span walks through them:

``receive``  OTLP over HTTP comes in (``wire`` knows its two encodings, ``budget`` what fits)
``records``  a span or a log line becomes a row
``store``    rows are committed to one DuckDB file, and read back through views
``journey``  one trace is put in the order a person follows it (``time_spent`` adds up its time)
``survey``   many traces at once: the list, and context coverage over everything
``api``      both as JSON
``app``      the rooms put together, behind the door that ``guard`` keeps
``ui/``      the explorer in the browser

``rules_monitor`` is a process of its own, and makes spans of the Firestore emulator's decisions.
``client``, ``waterfall`` and ``trace_command`` look in from outside, over HTTP only.
"""

VERSION = "0.1.0"
