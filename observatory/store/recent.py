"""Remember the spans committed recently, so that a span that is sent again is stored once."""

from collections.abc import Iterable, Set

REMEMBERED = 100_000


class Recent:
    """The identities of at least the last ``remembered`` spans, and at most twice as many.

    OTLP is at least once: an exporter that got no response resends, within minutes. Remembering
    every stored span would take too much memory. A duplicate that arrives later is stored, and
    left out when its trace is read.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def known(self, identities: Set[bytes]) -> set[bytes]:
        """Return those of ``identities`` that were committed recently."""
        if self._young.isdisjoint(identities) and self._old.isdisjoint(identities):
            return set()
        return (self._young & identities) | (self._old & identities)

    def remember(self, identities: Iterable[bytes]) -> None:
        """Add identities that were committed."""
        self._young.update(identities)
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, set()

    def forget(self) -> None:
        """Remove all identities."""
        self._young.clear()
        self._old.clear()
