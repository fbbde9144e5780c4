"""Intentional bugs that are typical of distributed apps, each behind a feature flag that is off.

The stages contain no code for them. Each decision that a fault gets wrong is a small function of a
stage. The module of the same name here holds the wrong versions; `@replaces` names the function
that each replaces and its flag. main.py calls `install` after importing the stages, if the setting
FAULTS allows it. For an app without faults, delete this folder and that block of main.py.
"""

from faults.switch import install

__all__ = ["install"]
