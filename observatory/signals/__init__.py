"""Query stored logs and metrics: log records by time, and metric values over time."""
