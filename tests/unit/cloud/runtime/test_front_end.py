"""Requests reach an instance as in production: with its limits, identity and headers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cloud.runtime.front_end import Answer, FrontEnd
from cloud.runtime.identity import Identity
from cloud.runtime.service import Service
from tests.unit.cloud.runtime.deployments import ACCOUNT, function, life_of, service_in

DEADLINE_SECONDS = 20.0
CALLERS = "00-11111111111111111111111111111111-2222222222222222-01"


def run(service: Service, work: Callable[[FrontEnd], Awaitable[None]]) -> None:
    """Run `work` with a front end for one service, and end its instances."""

    async def bounded() -> None:
        front_end = FrontEnd([service], Identity())
        watch = asyncio.create_task(service.watch())
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await work(front_end)
        finally:
            watch.cancel()
            await service.shut_down()
            await front_end.close()

    asyncio.run(bounded())


async def post(
    front_end: FrontEnd, path: str = "/", headers: dict[str, str] | None = None
) -> Answer:
    """POST to the only service."""
    (service,) = front_end.services
    return await front_end.handle(
        service, "POST", path, list((headers or {}).items()), b"{}", "203.0.113.7"
    )


def test_the_front_end_replaces_the_callers_trace(tmp_path: Path) -> None:
    """Only `traceparent` is the platform's; a copy in another header arrives as it was sent."""
    service = service_in(tmp_path)(function())

    async def work(front_end: FrontEnd) -> None:
        sent = {"traceparent": CALLERS, "x-throughline-context": CALLERS, "baggage": "a=b"}
        answers = [await post(front_end, "/headers", sent) for _ in range(2)]
        first, second = (json.loads(answer.body) for answer in answers)
        assert first["traceparent"].endswith("-00")
        assert first["traceparent"].split("-")[1] not in (CALLERS, second["traceparent"])
        assert first["x-throughline-context"] == CALLERS
        assert first["baggage"] == "a=b"
        assert first["x-forwarded-for"] == "203.0.113.7"
        assert first["x-forwarded-proto"] == "https"
        assert first["host"] == "quote-1.us-central1.run.app"

    run(service, work)


def test_a_private_function_demands_the_token_of_an_invoker(tmp_path: Path) -> None:
    """A missing token, another audience and another account are refused."""
    service = service_in(tmp_path)(function(public=False))

    async def work(front_end: FrontEnd) -> None:
        uri = service.function.uri
        identity = front_end._identity

        async def status(token: str) -> int:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return (await post(front_end, "/", headers)).status_code

        assert await status("") == 403
        assert await status("made-up") == 401
        assert await status(identity.token(ACCOUNT, "https://other.run.app")) == 401
        assert await status(identity.token("stranger@example.org", uri)) == 403
        assert life_of(tmp_path) == []
        assert await status(identity.token(ACCOUNT, uri)) == 200
        assert (await front_end.call(service, ACCOUNT, {}, b"", "/")).status_code == 200

    run(service, work)


def test_a_function_with_internal_ingress_is_hidden_from_the_internet(tmp_path: Path) -> None:
    """Google's services reach it all the same."""
    service = service_in(tmp_path)(function(ingressSettings="ALLOW_INTERNAL_ONLY"))

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end)).status_code == 404
        assert life_of(tmp_path) == []
        assert (await front_end.call(service, ACCOUNT, {}, b"", "/")).status_code == 200

    run(service, work)


def test_an_instance_gets_no_more_requests_than_its_concurrency(tmp_path: Path) -> None:
    """Others are started up to the maximum; a request beyond that waits."""
    limits: dict[str, Any] = {"maxInstanceRequestConcurrency": 2, "maxInstanceCount": 2}
    service = service_in(tmp_path)(function(**limits))

    async def work(front_end: FrontEnd) -> None:
        calls = [asyncio.create_task(post(front_end, "/wait")) for _ in range(5)]
        while service.statistics.requests < 4:
            await asyncio.sleep(0.02)
        assert sorted(one.open_requests for one in service._instances) == [2, 2]
        assert service.statistics.starts == 2
        (tmp_path / "go").touch()
        answers = await asyncio.gather(*calls)
        assert [answer.status_code for answer in answers] == [200] * 5
        assert service.statistics.starts == 2

    run(service, work)


def test_a_request_that_takes_too_long_is_answered_with_504(tmp_path: Path) -> None:
    """The timeout is the deployed one."""
    service = service_in(tmp_path)(function(timeoutSeconds=1))

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end, "/wait")).status_code == 504
        assert service.statistics.timeouts == 1

    run(service, work)


def test_an_instance_goes_on_starting_after_its_first_request_timed_out(tmp_path: Path) -> None:
    """The timeout of a request is no limit for the start of an instance."""
    service = service_in(tmp_path)(function(timeoutSeconds=1))
    executable = tmp_path / "functions-framework"
    slow = executable.read_text().replace(
        "import json", "import time; time.sleep(1.5); import json"
    )
    executable.write_text(slow)

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end)).status_code == 504
        await _until(lambda: service.statistics.starts == 1)
        assert (await post(front_end)).status_code == 200
        assert service.statistics.failures == []

    run(service, work)


def test_an_instance_has_no_cpu_between_requests(tmp_path: Path) -> None:
    """It is stopped when its last request ends, and continued for the next one."""
    service = service_in(tmp_path)(function())

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end)).status_code == 200
        (instance,) = service._instances
        await _until(lambda: _state(instance._process.pid) == "T")
        assert (await post(front_end)).status_code == 200
        await _until(lambda: _state(instance._process.pid) == "T")
        assert service.statistics.starts == 1

    run(service, work)


def test_an_idle_instance_is_ended_with_a_warning(tmp_path: Path) -> None:
    """SIGTERM reaches a stopped instance, which has CPU while it ends."""
    service = service_in(tmp_path)(function(), idle_seconds=0.1)

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end)).status_code == 200
        await _until(lambda: "SIGTERM" in life_of(tmp_path))
        await _until(lambda: service.statistics.idle_ends == 1 and not service._instances)
        assert (await post(front_end)).status_code == 200
        assert service.statistics.starts == 2

    run(service, work)


def test_an_instance_that_ignores_the_warning_is_killed(tmp_path: Path) -> None:
    """After the grace period there is SIGKILL."""
    service = service_in(tmp_path)(function(), STUBBORN="yes")

    async def work(front_end: FrontEnd) -> None:
        await post(front_end)
        (instance,) = service._instances
        await instance.shut_down("test", seconds=0.3)
        assert not instance.is_running
        assert instance._process.returncode == -9
        assert life_of(tmp_path)[-1] == "SIGTERM"

    run(service, work)


def test_an_instance_above_its_memory_limit_is_ended(tmp_path: Path) -> None:
    """The next request gets a new instance, and the statistics say what happened."""
    service = service_in(tmp_path)(function(availableMemory="64Mi"))

    async def work(front_end: FrontEnd) -> None:
        await post(front_end, "/memory")
        await _until(lambda: service.statistics.memory_ends == 1)
        assert "memory limit of 64 MiB exceeded" in service.statistics.failures[0]
        assert (await post(front_end)).status_code == 200

    run(service, work)


def test_an_instance_that_does_not_start_is_reported(tmp_path: Path) -> None:
    """The request fails at once, with the last line of the log as the reason."""
    service = service_in(tmp_path)(function())
    (tmp_path / "functions-framework").write_text("#!/bin/sh\necho no module named x; exit 3\n")

    async def work(front_end: FrontEnd) -> None:
        assert (await post(front_end)).status_code == 503
        assert len(service.statistics.failures) == 1
        assert "status 3: no module named x" in service.statistics.failures[0]
        (tmp_path / "functions-framework").unlink()
        assert (await post(front_end)).status_code == 503
        assert "No such file" in service.statistics.failures[1]

    run(service, work)


def test_a_functions_environment_is_what_was_deployed(tmp_path: Path) -> None:
    """The machine's own variables do not reach it."""
    service = service_in(tmp_path)(function())

    async def work(front_end: FrontEnd) -> None:
        await post(front_end)
        assert life_of(tmp_path)[0] == "started quote hello"
        environment = service.environment()
        assert environment["K_REVISION"] == "quote-00001-abc"
        assert "USER" not in environment

    run(service, work)


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; `run` bounds the wait."""
    while not condition():
        await asyncio.sleep(0.02)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture(autouse=True)
def _linux_only() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("reads the state of processes from /proc")
