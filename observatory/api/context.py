"""What every route has access to."""

from dataclasses import dataclass

from observatory.compare.digest import Digests
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.receive.budget import Budget
from observatory.receive.folding import Folding
from observatory.schemas.ask import Example
from observatory.sources import Sources
from observatory.store import Retention, Store


@dataclass(frozen=True)
class Context:
    """The objects that the API's routes read.

    Args:
        store: the open store.
        folding: the telemetry that has been received and is not in the store yet.
        digests: the digests of its traces.
        retention: the limits of the store's age and size.
        budget: the memory for telemetry that has been received and is not written yet.
        sources: the folder with the source files that spans name.
        boot: the server's boot id.
        fault_flags: the fault flags of the observed app; None when it has none.
        examples: example SQL queries about the observed app.
        conventions: what the observed app's attributes mean.
        grpc_port: the port for OTLP/gRPC; None when it is off.
    """

    store: Store
    folding: Folding
    digests: Digests
    retention: Retention
    budget: Budget
    sources: Sources
    boot: str
    fault_flags: FaultFlags | None = None
    examples: tuple[Example, ...] = ()
    conventions: Conventions = NO_CONVENTIONS
    grpc_port: int | None = None

    @property
    def revision(self) -> str:
        """The version of the stored data: it changes when any response may change.

        The store counts its commits from each start, so the boot id is part of the revision. While
        spans from before the start are being digested, responses change without a commit, so the
        number of digest steps is part of it too. After the last commit, an absent parent is missing
        only when the grace period has ended.
        """
        revision = f"{self.boot}-{self.store.revision}"
        if self.digests.awaits_parents:
            revision += "-awaiting"
        return revision if self.digests.caught_up else f"{revision}-{self.digests.steps}"
