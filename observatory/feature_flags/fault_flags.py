"""The faults of an app together with their flags."""

from dataclasses import dataclass
from pathlib import Path

from observatory.feature_flags.catalogue import Fault, read_catalogue
from observatory.feature_flags.flags import Flags


@dataclass(frozen=True)
class FaultFlags:
    """The faults of one app.

    Args:
        faults: the catalogue of faults.
        flags: the flags in Firestore.
        app: the origin of the app's page, such as ``http://127.0.0.1:5002``.
    """

    faults: tuple[Fault, ...]
    flags: Flags
    app: str

    def fault(self, name: str) -> Fault | None:
        """Return the fault of that name; None if there is none."""
        return next((fault for fault in self.faults if fault.name == name), None)

    def link(self, fault: Fault) -> str | None:
        """Return the page's address that turns the fault on; None for a fault with a flag."""
        return None if fault.address is None else f"{self.app}{fault.address}"

    def on(self) -> frozenset[str]:
        """Return the names of the faults whose flags are on.

        Raises:
            FlagsUnreachable: the flags cannot be read.
        """
        known = {fault.name for fault in self.faults if fault.address is None}
        return self.flags.on() & known

    def turn_all_off(self) -> None:
        """Turn off the flags of all faults.

        Raises:
            FlagsUnreachable: a flag could not be changed; later ones were left unchanged.
        """
        for name in sorted(self.on()):
            self.flags.turn(name, on=False)


def read_fault_flags(catalogue: Path, flags: str, app: str) -> FaultFlags:
    """Return the fault flags of an app, given its catalogue file, flags URL and page origin.

    Raises:
        BadCatalogue: the file cannot be read or is not a catalogue.
    """
    return FaultFlags(read_catalogue(catalogue), Flags(flags), app)
