"""Many traces at once: which match, how they are distributed, what sets some apart."""
