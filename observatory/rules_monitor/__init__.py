"""The rules monitor: the Firestore emulator's decisions about writes and reads, as spans.

A process of its own that speaks plain OTLP. Production has nothing like the emulator's request
monitor, so there it has no counterpart. The rooms, in the order a decision walks through them:

``follow``      the emulator's websocket, again and again
``evaluation``  one message, read (``typed`` knows the emulator's spelling of values)
``merging``     what was heard before is left out, and what is one decision in parts put together
``explain``     which line said no (``language`` reads the rules into
                ``syntax``, ``values`` computes as they do)
``carrier``     the context in the attempted document's ``_trace``
``decision``    a decision becomes a span, in the trace of the write that it is about
``deliver``     spans go out over OTLP, and wait while nobody takes them

Which decisions become spans: every write, and every read that was not allowed. Reads that were
allowed are the page's listeners coming and going; nobody asks why they worked, and each would be a
trace of its own. ``--allowed-reads`` has them too.
"""
