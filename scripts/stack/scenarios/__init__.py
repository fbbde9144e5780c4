"""The scenarios: one failure each, named after the file."""
