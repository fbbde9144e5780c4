"""One module per measurement of `./scripts/bench`: `measure(runs)` returns what it found."""
