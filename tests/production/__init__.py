"""Tests of what is deployed: the checks before a deployment, and the deployment itself."""
