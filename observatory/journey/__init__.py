"""Journeys: one trace's spans ordered by legs, its time and critical path, and its differences."""
