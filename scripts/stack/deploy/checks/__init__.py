"""The checks of a tree, one module for each part of the app that they read."""
