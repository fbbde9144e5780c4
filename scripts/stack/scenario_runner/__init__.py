"""Run a scenario: set its flags, provoke its cause, read its traces."""
