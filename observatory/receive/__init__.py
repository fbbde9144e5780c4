"""Receive OTLP over HTTP and convert it to rows for the store."""
