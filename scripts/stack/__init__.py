"""The program behind the executables in scripts/: set a stack up, run it, try it, end it.

bootstrap.sh makes the environment that it runs in; setup/bootstrap.py, and all that imports, stand
on the standard library alone, because they run before anything is installed.
"""
