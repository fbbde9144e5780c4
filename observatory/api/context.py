"""What the routes stand on."""

from dataclasses import dataclass

from observatory.compare.digest import Digests
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.receive.budget import Budget
from observatory.schemas.ask import Example
from observatory.sources import Sources
from observatory.store import Retention, Store


@dataclass(frozen=True)
class Context:
    """Everything the API's routes read.

    Args:
        store: the open store.
        digests: the digests of its traces.
        retention: how long telemetry is kept, and how much of it.
        budget: how much telemetry may be on its way to the disk at once.
        sources: where the source files are that spans name.
        boot: the server's boot id.
        fault_flags: the fault flags of the observed app; None when it has none.
        examples: questions in SQL about the observed app.
    """

    store: Store
    digests: Digests
    retention: Retention
    budget: Budget
    sources: Sources
    boot: str
    fault_flags: FaultFlags | None = None
    examples: tuple[Example, ...] = ()

    @property
    def revision(self) -> str:
        """As long as it stays the same, so does every answer.

        Revisions count from each start, so the start is part of them; until all is digested that
        was stored before it, answers change without a commit.
        """
        revision = f"{self.boot}-{self.store.revision}"
        return revision if self.digests.caught_up else f"{revision}-{self.digests.steps}"
