"""Asking the map, and what came back."""
