"""Logs and metrics, as they came: lines in the order of time, and values over time."""
