"""OTLP over HTTP comes in, and becomes rows."""
