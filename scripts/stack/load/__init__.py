"""Place many orders at once, and report what became of them."""
