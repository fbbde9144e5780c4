"""What Google's platform does and the Firebase emulators do not, on one machine.

Nothing here is deployed. It knows a deployment, events and HTTP, and nothing of the app.
"""
