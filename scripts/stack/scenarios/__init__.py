"""One failure each, named after the file: who reports it, how it comes about, what reveals it."""
