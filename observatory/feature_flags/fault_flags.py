"""The faults of one app together with the flags that turn them on."""

from dataclasses import dataclass
from pathlib import Path

from observatory.feature_flags.catalogue import Fault, read_catalogue
from observatory.feature_flags.flags import Flags


@dataclass(frozen=True)
class FaultFlags:
    """One app's faults.

    Args:
        faults: its catalogue.
        flags: where their flags are.
        app: the origin of its page, such as ``http://127.0.0.1:5002``.
    """

    faults: tuple[Fault, ...]
    flags: Flags
    app: str

    def fault(self, name: str) -> Fault | None:
        """The fault of that name, if there is one."""
        return next((fault for fault in self.faults if fault.name == name), None)

    def link(self, fault: Fault) -> str | None:
        """The address at which the app's page has the fault; None for one that has a flag."""
        return None if fault.address is None else f"{self.app}{fault.address}"

    def on(self) -> frozenset[str]:
        """The names of the faults whose flags are on.

        Raises:
            FlagsUnreachable: nobody knows.
        """
        known = {fault.name for fault in self.faults if fault.address is None}
        return self.flags.on() & known

    def turn_all_off(self) -> None:
        """Turn off every fault that is on.

        Raises:
            FlagsUnreachable: one of them could not be; those after it are as they were.
        """
        for name in sorted(self.on()):
            self.flags.turn(name, on=False)


def read_fault_flags(catalogue: Path, flags: str, app: str) -> FaultFlags:
    """Return the fault flags of the app whose catalogue, flags and page these are.

    Raises:
        BadCatalogue: the file is none.
    """
    return FaultFlags(read_catalogue(catalogue), Flags(flags), app)
