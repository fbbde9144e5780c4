"""Runs what `firebase deploy` uploaded, under production's manners; see README.md.

Firestore, Authentication and Pub/Sub stay the official emulators. Everything between them and the
functions is here: instances, the front end, events, queues, schedules and hosting.
"""
