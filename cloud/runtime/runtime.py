"""Builds, starts and ends everything that a deployment runs as."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cloud.deployment.deployed import BadDeployment, Deployed
from cloud.deployment.project_apis import DEFAULT_SERVICE_ACCOUNT
from cloud.egress_proxy import EgressProxy
from cloud.runtime import certificate, firestore_events, google_apis, pubsub_events
from cloud.runtime.events import EventDelivery
from cloud.runtime.front_end import FrontEnd
from cloud.runtime.hosting import Hosting
from cloud.runtime.identity import Identity
from cloud.runtime.schedules import Job
from cloud.runtime.service import Service
from cloud.runtime.source import Builder
from cloud.runtime.tasks import Queue

HOST = "127.0.0.1"
EMULATOR_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Addresses:
    """Ports of this process, and host:port of each emulator."""

    front_end: int
    hosting: int
    internal: int
    apis: int
    proxy: int
    firestore: str
    auth: str
    pubsub: str


class Runtime:
    """One running deployment."""

    def __init__(
        self,
        deployed: Deployed,
        addresses: Addresses,
        folder: Path,
        builder: Builder,
        *,
        idle_seconds: float,
    ) -> None:
        self.deployed = deployed
        self.addresses = addresses
        self.identity = Identity()
        self.front_end = FrontEnd([], self.identity)
        self.delivery = EventDelivery(self.front_end)
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, Job] = {}
        self.hosting: Hosting | None = None
        self.proxy = EgressProxy(self._route)
        self._folder = folder
        self._builder = builder
        self._idle_seconds = idle_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._proxy_server: asyncio.Server | None = None

    @property
    def certificate(self) -> Path:
        """Return the path of the certificate of the simulated APIs."""
        return self._folder / "apis.pem"

    @property
    def certificate_key(self) -> Path:
        """Return the path of its private key."""
        return self._folder / "apis.key"

    def prepare(self) -> None:
        """Create what the servers need before they start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        certificate.write(google_apis.HOSTS, self.certificate, self.certificate_key)

    async def start(self) -> None:
        """Run what was deployed.

        Raises:
            BadDeployment: it can't be run.
            httpx.HTTPError: an emulator refuses what was deployed.
        """
        self._proxy_server = await self.proxy.serve(self.addresses.proxy)
        for function in self.deployed.functions():
            source = await self._builder.build(function.archive)
            service = Service(
                function,
                source,
                self._added_environment(),
                self._folder / "logs",
                self._idle_seconds,
            )
            self.front_end.services.append(service)
            self._begin(service.watch())
        for name, queue in self.deployed.queues().items():
            self.queues[name] = Queue(queue, self.front_end, self.service_account())
        for name, job in self.deployed.jobs().items():
            self.jobs[name] = Job(job, self.front_end)
        self.hosting = Hosting(self.deployed.site(), self.front_end)
        async with httpx.AsyncClient(timeout=EMULATOR_TIMEOUT_SECONDS, trust_env=False) as client:
            await self._load_rules(client)
            await self._connect_events(client)
            await self._connect_blocking_functions(client)
        for scheduled in self.jobs.values():
            self._begin(scheduled.run())

    async def stop(self) -> None:
        """End everything, the instances as the platform does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.delivery.close()
        for queue in self.queues.values():
            await queue.close()
        await asyncio.gather(*(service.shut_down() for service in self.front_end.services))
        await self.front_end.close()
        if self._proxy_server:
            self._proxy_server.close()

    def service_account(self) -> str:
        """Return the account that the functions run as, or the default one if it is not one."""
        accounts = {service.function.service_account for service in self.front_end.services}
        return accounts.pop() if len(accounts) == 1 else DEFAULT_SERVICE_ACCOUNT

    def status(self) -> dict[str, Any]:
        """Return what runs and what happened, as JSON."""
        return {
            "functions": {
                service.function.name: {
                    "region": service.function.region,
                    "concurrency": service.function.concurrency,
                    "memory_mib": service.function.memory_bytes >> 20,
                    "max_instances": service.function.max_instances,
                    "timeout_seconds": service.function.timeout_seconds,
                    "open_requests": service.open_requests,
                    **dataclasses.asdict(service.statistics),
                }
                for service in self.front_end.services
            },
            "events": dataclasses.asdict(self.delivery.deliveries),
            "queues": {
                name.rpartition("/")[2]: {
                    "created": queue.created,
                    "waiting": queue.waiting,
                    "dispatched": queue.dispatched,
                    "failed_attempts": queue.failed_attempts,
                    "given_up": queue.given_up,
                }
                for name, queue in self.queues.items()
            },
            "jobs": {name.rpartition("/")[2]: job.fired for name, job in self.jobs.items()},
            "refused_hosts": self.proxy.refused,
        }

    def _added_environment(self) -> dict[str, str]:
        """Return the variables that production does not have.

        The first three send a client to its emulator. The others lead to the stand-ins of this
        process what production reaches without a variable: the metadata server, and Google's APIs
        over HTTPS.
        """
        ports = self.addresses
        return {
            "FIRESTORE_EMULATOR_HOST": ports.firestore,
            "FIREBASE_AUTH_EMULATOR_HOST": ports.auth,
            "PUBSUB_EMULATOR_HOST": ports.pubsub,
            "GCE_METADATA_HOST": f"{HOST}:{ports.internal}",
            "GCE_METADATA_IP": f"{HOST}:{ports.internal}",
            "HTTPS_PROXY": f"http://{HOST}:{ports.proxy}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }

    def _route(self, host: str) -> tuple[str, int] | None:
        return (HOST, self.addresses.apis) if host in google_apis.HOSTS else None

    async def _load_rules(self, client: httpx.AsyncClient) -> None:
        file = {"name": "firestore.rules", "content": self.deployed.rules()}
        response = await client.put(
            f"http://{self.addresses.firestore}/emulator/v1/projects/"
            f"{self.deployed.project}:securityRules",
            json={"rules": {"files": [file]}},
        )
        if response.is_error:
            raise BadDeployment(f"The deployed rules do not compile: {response.text[:500]}")

    async def _connect_events(self, client: httpx.AsyncClient) -> None:
        pubsub = f"http://{self.addresses.pubsub}"
        for topic in self.deployed.topics():
            await pubsub_events.create_topic(client, pubsub, topic)
        for service in self.front_end.services:
            function = service.function
            if firestore_events.is_document_function(function):
                firestore = f"http://{self.addresses.firestore}"
                await firestore_events.register(client, firestore, function)
            elif pubsub_events.is_topic_function(function):
                endpoint = (
                    f"http://{HOST}:{self.addresses.internal}"
                    f"/pubsub/{function.region}/{function.name}"
                )
                await pubsub_events.subscribe(client, pubsub, function, endpoint)

    async def _connect_blocking_functions(self, client: httpx.AsyncClient) -> None:
        """Have the Authentication emulator call the blocking functions."""
        triggers = {}
        for event, url in self.deployed.blocking_functions().items():
            found = self.front_end.find_url(url)
            if found is None:
                raise BadDeployment(f"{event} calls {url}, which is not deployed.")
            triggers[event] = {"functionUri": self.local_address(found[0])}
        if triggers:
            response = await client.patch(
                f"http://{self.addresses.auth}/identitytoolkit.googleapis.com/v2/projects/"
                f"{self.deployed.project}/config",
                params={"updateMask": "blockingFunctions"},
                json={"blockingFunctions": {"triggers": triggers}},
                headers={"authorization": "Bearer owner"},
            )
            response.raise_for_status()

    def local_address(self, service: Service) -> str:
        """Return the address of a function on this machine's front end."""
        function = service.function
        return (
            f"http://{HOST}:{self.addresses.front_end}"
            f"/{self.deployed.project}/{function.region}/{function.name}"
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))
