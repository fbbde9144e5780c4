"""What a trace is about, and the state that came to, in the words of the configured columns.

The Observatory's configuration names the columns: as in the explorer, one that ends in ``_id``
holds the subject and one that ends in ``_state`` its state.
"""

from collections.abc import Mapping


def subject_of(trace: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the label and the value of what a trace is about, such as ``Order`` and its id."""
    return _ending_in(trace, "_id")


def state_of(trace: Mapping[str, object]) -> str | None:
    """Return the state that the trace's subject came to."""
    state = _ending_in(trace, "_state")
    return None if state is None else state[1]


def title_of(trace: Mapping[str, object]) -> str:
    """Return what to call a trace: by its subject where it has one."""
    return " ".join(subject_of(trace) or ["Trace"])


def _ending_in(trace: Mapping[str, object], ending: str) -> tuple[str, str] | None:
    for name, value in trace.items():
        if name != "trace_id" and name.endswith(ending) and isinstance(value, str) and value:
            words = name.removesuffix(ending).replace("_", " ")
            return words[:1].upper() + words[1:], value
    return None
