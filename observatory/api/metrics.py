"""``/api/metrics``: which metrics there are, and their values over time."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import NoQuery, TimeRange
from observatory.api.responses import NO_STORE
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.schemas.signals import MetricList, MetricSeries
from observatory.signals.metrics import list_metrics, series_of

router = new_router()


class SeriesQuery(TimeRange):
    """Which metric, and from when to when; the range is about the time of its points."""

    name: str = Field(pattern=".+", description="The metric's name, as /api/metrics lists it")
    service: str = Field(
        pattern=".+", description="The service that measures it, as /api/metrics lists it"
    )


@router.get("/api/metrics", response_model=MetricList, summary="Every metric that was received")
def metrics(context: Reading, query: Annotated[NoQuery, Query()]) -> Response:  # noqa: ARG001
    with context.store.reader() as reader:
        return JSONResponse({"metrics": list_metrics(reader)}, headers=NO_STORE)


@router.get(
    "/api/metrics/series",
    response_model=MetricSeries,
    summary="The values of one metric over time",
    responses=refusals({400: REFUSED}),
)
def series(context: Reading, query: Annotated[SeriesQuery, Query()]) -> Response:
    from_ms, to_ms = query.milliseconds()
    with context.store.reader() as reader:
        answer = series_of(reader, (query.name, query.service), from_ms, to_ms)
    return JSONResponse(answer, headers=NO_STORE)
