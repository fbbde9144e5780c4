"""The bugs on purpose: what goes wrong in a distributed app, each behind a flag that is off.

A stage contains no line about them. Each decision that a fault spoils is a small function of the
stage; the module here that has the stage's name holds the wrong versions, and `@replaces` says
which function each stands in for and what its flag is. main.py calls `install` after it has
imported the stages, where the setting allows it. To have an app without faults, delete this folder
and that block of main.py.
"""

from faults.switch import install

__all__ = ["install"]
