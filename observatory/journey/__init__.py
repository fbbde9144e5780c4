"""One trace: its spans in the order a person follows them, where its time went and why."""
