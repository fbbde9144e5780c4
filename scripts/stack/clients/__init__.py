"""Clients that act as a buyer, a page or an administrator, through the same APIs."""
