"""The Box Office: sells seats for shows, with one file per stage of an order's life."""
