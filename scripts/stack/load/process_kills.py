"""Kills processes of a stack during a run, at random moments that a seed determines."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.console import print_line
from stack.local import emulators
from stack.local.addresses import StackAddresses
from stack.local.http import answers
from stack.local.processes import Processes, kill_tree, trees_with

#: The functions of which a worker may be killed: the stages that load reaches.
FUNCTIONS = ("reserve", "charge", "settle", "issue", "audit")
#: The services that may be killed, by their names in the stack, with a path that shows when one is
#: up again. The emulators are not among them: they keep their data in memory.
SERVICES = {"The acquirer": "/health", "The Observatory": "/api/health", "Redelivery": "/state"}

# No kill during the first and the last orders: there is too little in progress.
EARLIEST, LATEST = 0.1, 0.8
RESTART_SECONDS = 60.0


@dataclass(frozen=True)
class Kill:
    """A function's or a service's name, and the share of the orders that are done by then."""

    target: str
    after: float


def plan(number: int, seed: int) -> list[Kill]:
    """Return `number` kills in order; each target has its turn before any has a second."""
    chooser = random.Random(seed)  # noqa: S311
    targets: list[str] = []
    while len(targets) < number:
        names = [*FUNCTIONS, *SERVICES]
        chooser.shuffle(names)
        targets += names
    moments = sorted(chooser.uniform(EARLIEST, LATEST) for _ in range(number))
    return [Kill(*kill) for kill in zip(targets, moments, strict=False)]


class ProcessKills:
    """Carries out a plan on the processes of one stack, and restarts the services.

    Must be used in the thread that started the stack: on Linux a process ends with the thread that
    started it.

    Attributes:
        done: what was killed, in order.
    """

    def __init__(
        self, processes: Processes, addresses: StackAddresses, kills: Sequence[Kill], seed: int
    ) -> None:
        self.done: list[str] = []
        self.planned = len(kills)
        self._processes = processes
        self._urls = {
            "The acquirer": addresses.acquirer,
            "The Observatory": addresses.observatory,
            "Redelivery": addresses.redelivery,
        }
        self._due = list(kills)
        self._chooser = random.Random(seed)  # noqa: S311

    def advance(self, share: float, restarted: Callable[[str], None]) -> None:
        """Kill what is due when this share of the orders is done.

        A function without a worker stays due until it has one. `restarted` is called with the name
        of each service that was killed and is up again.
        """
        for kill in [kill for kill in self._due if kill.after <= share]:
            is_service = kill.target in SERVICES
            if not (self._restart(kill.target) if is_service else self._kill_worker(kill.target)):
                continue
            self._due.remove(kill)
            self.done.append(kill.target)
            if is_service:
                restarted(kill.target)

    def _kill_worker(self, function: str) -> bool:
        suite = self._processes.pid(emulators.NAME)
        workers = trees_with(suite, "FUNCTION_TARGET", function)
        if not workers:
            return False
        worker = self._chooser.choice(workers)
        print_line(f"  ✂ kill -9 of a worker of {function}, process {worker}")
        kill_tree(worker)
        return True

    def _restart(self, name: str) -> bool:
        service = self._processes.service(name)
        print_line(f"  ✂ kill -9 of {name}, process {service.process.pid}")
        service.kill_and_restart()
        deadline = time.monotonic() + RESTART_SECONDS
        while not answers(self._urls[name] + SERVICES[name]) and time.monotonic() < deadline:
            service.check()
            time.sleep(0.1)
        return True
