"""Queries over many traces: filters, the list, the heatmap, contrasts, the map."""
