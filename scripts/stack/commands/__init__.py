"""The commands: one module for each executable in scripts/."""
