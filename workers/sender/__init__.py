"""Sends messages: from an id to a settled recipient."""
