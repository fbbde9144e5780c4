"""The benchmarks of `./scripts/bench`, one module each: `measure(runs)` returns the figures."""
