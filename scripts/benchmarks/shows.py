"""The shows and regions in the spans of otlp_traces.py, used by observatory_queries.py."""

from __future__ import annotations

SHOWS = (
    *("night-ferry", "glass-orchard", "the-understudy", "salt", "last-tram", "paper-moon"),
    *("winterreise", "the-lighthouse", "tin-drum", "violet-hour", "echo-park", "small-gods"),
)
REGIONS = ("europe-west1", "us-central1", "us-east4", "asia-east1")
