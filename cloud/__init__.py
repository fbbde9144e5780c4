"""Simulates what Google's platform does and the Firebase emulators do not, on one machine.

Nothing here is deployed. The package works with a deployment, events and HTTP, and imports nothing
of the app.
"""
