"""The bugs on purpose: what goes wrong in a distributed app, each behind a flag that is off.

A stage contains no line about them. Each decision that a fault spoils is a small function of the
stage; the module here that has the stage's name holds the wrong versions, and `@replaces` says
which function each stands in for and what its flag is. main.py calls `install` after it has
imported the stages, where the setting allows it. To have an app without faults, delete this folder
and that block of main.py.
"""

from faults import (
    firestore_is_far,
    firestore_wants_indexes,
    instance,
    instances_come_and_go,
    pubsub_refuses_once,
)
from faults.switch import install, on

__all__ = [
    "firestore_is_far",
    "firestore_wants_indexes",
    "install",
    "instance",
    "instances_come_and_go",
    "on",
    "pubsub_refuses_once",
]
