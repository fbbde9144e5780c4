"""One stack on this machine: its addresses, its processes, its start and its end."""
