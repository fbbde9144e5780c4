"""Export stored telemetry to a file, and import it from one."""
