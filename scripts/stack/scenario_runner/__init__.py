"""Runs a scenario: sets its flags, provokes its cause, reads its traces."""
