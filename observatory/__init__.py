"""The Observatory: where a trace ends.

The rooms, in the order a span walks through them:

``receive``   OTLP over HTTP comes in, and becomes rows
``store``     rows are committed to one DuckDB file, and read back through views
``journey``   one trace is put in the order a person follows it
``compare``   many traces at once: which match, how they are distributed, what sets some apart
``signals``   logs and metrics as they came
``ask``       a person's own questions, in SQL that can only read
``take_away`` traces as a file, and back from one
``switchboard`` the faults that an app has on purpose, and their flags
``api``       all of it as JSON; ``shapes`` says what that looks like
``app``       the rooms put together, behind the door that ``guard`` keeps
``ui/``       the explorer in the browser

``rules_monitor`` is a process of its own, and makes spans of the Firestore emulator's decisions.
``client`` and ``terminal`` look in from outside, over HTTP only.
"""

VERSION = "0.1.0"
