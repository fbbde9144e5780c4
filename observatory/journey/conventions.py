"""What attributes of the observed app mean; its configuration says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from observatory.schemas.journey import Tone


@dataclass(frozen=True)
class Conventions:
    """What attributes of the observed app mean.

    Args:
        final_states: the states after which nothing more is to be done for a subject, and how good
            each is. Empty: not known.
        outcomes: attributes of which a consumer's span has at least one when it ends without an
            error. Empty: not known.
    """

    final_states: Mapping[str, Tone] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()

    def tone(self, state: object) -> Tone | None:
        """Return how good a state is; None if it is not final, or not known."""
        return self.final_states.get(state) if isinstance(state, str) else None


NO_CONVENTIONS = Conventions()
