"""Deploy the app to a Firebase project: checks without an account, a plan, and the steps."""
