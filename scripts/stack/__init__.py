"""The program behind the executables in scripts/: sets up, runs, tests and stops a stack.

bootstrap.sh makes the virtual environment that it runs in. setup/bootstrap.py and the modules that
it imports use only the standard library, because they run before anything is installed.
"""
