"""Which spans were committed lately, so that one that is sent again is kept once."""

from collections.abc import Iterable, Set

REMEMBERED = 100_000


class Recent:
    """The identities of the last spans: of at least ``remembered``, and at most twice as many.

    OTLP delivers at least once: a sender that got no answer sends again, within minutes. To know
    every span ever stored would cost more memory than to keep the rare copy, which readers of a
    trace leave out.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def known(self, identities: Set[bytes]) -> set[bytes]:
        """Those of ``identities`` that were committed lately."""
        if self._young.isdisjoint(identities) and self._old.isdisjoint(identities):
            return set()
        return (self._young & identities) | (self._old & identities)

    def remember(self, identities: Iterable[bytes]) -> None:
        """Take note of what was committed."""
        self._young.update(identities)
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, set()

    def forget(self) -> None:
        """After a clear nothing is known."""
        self._young.clear()
        self._old.clear()
