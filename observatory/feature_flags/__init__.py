"""The deliberate faults of an app, and the feature flags that turn them on."""
