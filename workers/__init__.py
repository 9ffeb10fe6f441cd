"""Processes that act without anyone watching."""
