"""The switchboard: faults that an app has on purpose, and the flags that turn them on."""
