"""Crosses every hop of the contract, and checks in the traces that each carried the context."""
