"""What the scripts stand on: the parts a stack needs, setting them up, running them, ending them.

Everything here runs on the standard library alone, because it runs before anything is installed;
`buy.py` is the exception, and runs in the environment that the rest made.
"""
