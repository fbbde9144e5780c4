"""What the shop of otlp_traces.py sells and where: who sends its spans and who asks for them both
need to know, in different Pythons."""

from __future__ import annotations

SHOWS = (
    *("night-ferry", "glass-orchard", "the-understudy", "salt", "last-tram", "paper-moon"),
    *("winterreise", "the-lighthouse", "tin-drum", "violet-hour", "echo-park", "small-gods"),
)
REGIONS = ("europe-west1", "us-central1", "us-east4", "asia-east1")
