"""Telemetry that leaves as a file, and comes back from one."""
