"""Find a trace's subject, such as an order, and the subject's state in a JSON response.

The configuration chooses their names. As in the explorer, a field that ends in ``_id`` holds the
subject and one that ends in ``_state`` its state.
"""

from collections.abc import Mapping


def subject_of(trace: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the label and the value of a trace's subject, such as ``("Order", "8f2c")``."""
    return _field_with_suffix(trace, "_id")


def state_of(trace: Mapping[str, object]) -> str | None:
    """Return the state of the trace's subject; None if it has none."""
    state = _field_with_suffix(trace, "_state")
    return None if state is None else state[1]


def title_of(trace: Mapping[str, object]) -> str:
    """Return a title for a trace: its subject with the label, else ``Trace``."""
    return " ".join(subject_of(trace) or ["Trace"])


def _field_with_suffix(trace: Mapping[str, object], suffix: str) -> tuple[str, str] | None:
    for name, value in trace.items():
        if name != "trace_id" and name.endswith(suffix) and isinstance(value, str) and value:
            words = name.removesuffix(suffix).replace("_", " ")
            return words[:1].upper() + words[1:], value
    return None
