"""The Observatory: an OpenTelemetry backend in one process, with an explorer.

The packages, in the order in which a span meets them:

``receive``        decodes OTLP requests into rows
``store``          commits rows to one DuckDB file and offers views of them
``journey``        puts the spans of one trace in the order a person follows
``compare``        filters many traces, and shows how they are distributed and what sets some apart
``signals``        reads logs and metrics
``ask``            runs read-only SQL
``import_export``  writes traces to a file and reads them back
``feature_flags``  reads and sets the flags of an app's faults
``api``            serves all of it as JSON, whose types are in ``schemas``
``mcp_server``     offers the same to assistants, by the Model Context Protocol
``app``            is the composition root; ``guard`` checks hosts and origins
``ui/``            is the explorer, which runs in the browser

``rules_monitor`` is a process of its own, and makes spans of the Firestore emulator's decisions.
``client`` and ``terminal`` use the API over HTTP only.
"""

VERSION = "0.1.0"
