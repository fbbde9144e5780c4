"""Answers the Google APIs that `firebase deploy` calls, and stores what is deployed.

It rehearses a deployment without an account: the real firebase-tools, its API addresses pointed
here (cli.py), uploads a tree; deployed.py reads what was uploaded. Nothing in it is deployed.
"""
