"""The Box Office: one file per stage of an order's life, in the design's words."""
