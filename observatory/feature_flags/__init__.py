"""The faults that an app has on purpose, and the feature flags that turn them on."""
