"""Tests, a folder a tier; ./scripts/test sets up what each needs and runs them."""
