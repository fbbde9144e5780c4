"""What Google's platform may do to an app at any time, and the emulators never do.

Each condition is switched by a flag and injected from outside, through the libraries' own seams: a
function contains no line about it. `catalogue.py` lists them, `injection.py` puts them in place.
"""
