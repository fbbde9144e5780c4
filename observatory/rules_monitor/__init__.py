"""The rules monitor: records the Firestore emulator's rules decisions as spans.

It is a process of its own that speaks plain OTLP. It has no counterpart in production, where
nothing corresponds to the emulator's request monitor. The modules, in the order that a decision
passes through them:

``follow``       reads messages from the emulator's websocket
``evaluation``   decodes one message (``typed`` decodes the emulator's values)
``merging``      drops repeated messages and merges the evaluations of one access
``explain``      finds the deciding line: ``language`` parses the rules into ``syntax``,
                 ``matching`` finds the statements about the access, ``interpreter`` evaluates
                 their conditions with ``values`` and ``methods``
``carrier``      reads the context in the attempted document's ``_trace``
``decision``     builds the span, in the trace of the write that the decision is about
``exporter``     sends spans over OTLP and buffers them while the receiver is unavailable

Every write becomes a span, and every read that was denied. Allowed reads are left out unless
``--allowed-reads`` is given: a page's listeners make many, and each would be a trace of its own.
"""
