"""What the routes stand on."""

from dataclasses import dataclass

from observatory.compare.digest import Digests
from observatory.receive.budget import Budget
from observatory.sources import Sources
from observatory.store import Retention, Store
from observatory.switchboard.switchboard import Switchboard


@dataclass(frozen=True)
class Context:
    """One store with its digests, how much of it stays and how much is on its way there, where
    the source is that spans name, which start of the server this is, and the switchboard of the app
    that is looked at (None where the Observatory was told of none)."""

    store: Store
    digests: Digests
    retention: Retention
    budget: Budget
    sources: Sources
    boot: str
    switchboard: Switchboard | None = None

    @property
    def revision(self) -> str:
        """As long as it stays the same, so does every answer.

        Revisions count from each start, so the start is part of them; until all is digested that
        was stored before it, answers change without a commit.
        """
        revision = f"{self.boot}-{self.store.revision}"
        return revision if self.digests.caught_up else f"{revision}-{self.digests.steps}"
