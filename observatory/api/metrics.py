"""``/api/metrics``: the stored metrics, and their values over time."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import NoQuery, TimeRange
from observatory.api.responses import NO_STORE
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.schemas.signals import MetricList, MetricSeries
from observatory.signals.metrics import list_metrics, series_of

router = new_router()


class SeriesQuery(TimeRange):
    """The metric to return; the time range applies to the times of its points."""

    name: str = Field(pattern=".+", description="The metric's name, as /api/metrics lists it")
    service: str = Field(
        pattern=".+", description="The service that reports it, as /api/metrics lists it"
    )


@router.get("/api/metrics", response_model=MetricList, summary="List the stored metrics")
def metrics(context: Reading, query: Annotated[NoQuery, Query()]) -> Response:  # noqa: ARG001
    with context.store.reader() as reader:
        return JSONResponse({"metrics": list_metrics(reader)}, headers=NO_STORE)


@router.get(
    "/api/metrics/series",
    response_model=MetricSeries,
    summary="Get the values of one metric over time",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def series(context: Reading, query: Annotated[SeriesQuery, Query()]) -> Response:
    from_ms, to_ms = query.milliseconds()
    with context.store.reader() as reader:
        metric_series = series_of(reader, (query.name, query.service), from_ms, to_ms)
    return JSONResponse(metric_series, headers=NO_STORE)
