"""Rehearses a deployment on this machine: deploys with the real CLI, runs it, buys a ticket."""
