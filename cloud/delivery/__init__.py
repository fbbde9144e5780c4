"""Delivers a function's failed events again, as Eventarc and Pub/Sub do in production.

It has two components: a process (`python -m cloud.delivery`) that retries events, dead-letters them
and, on request, duplicates, delays, reorders and fails them; and a WSGI middleware in each
function's worker that hands events over to the process. README.md documents both.
"""
