"""Delivers a function's failed events again, as Eventarc and Pub/Sub do in production.

Two halves: a process (`python -m cloud.delivery`) that retries, sets aside and, on request,
duplicates, delays, reorders and fails events; and a WSGI middleware in each function's worker that
hands events over to it. README.md documents both.
"""
