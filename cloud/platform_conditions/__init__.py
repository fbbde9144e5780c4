"""Simulates conditions that an app meets on Google's platform and never on the emulators.

Each condition is turned on by a flag and injected through extension points of the libraries, so the
functions contain no code for it. `catalogue.py` lists the conditions, `injection.py` installs them.
"""
