"""The local stand-in for what Eventarc and Pub/Sub do with an event that a function failed.

The emulators acknowledge such an event and forget it. This process delivers it again with
exponential backoff, sets it aside on a dead-letter topic when that doesn't help, and, on request,
duplicates, delays, reorders and fails events. What it holds is in memory and ends with it.
"""
