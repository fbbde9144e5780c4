"""Runs one stack on this machine: addresses, processes, start and end."""
