"""Find, install and build what a stack needs, each step once."""
