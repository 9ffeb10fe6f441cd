"""Reads the map: from an id to a stored page of places."""
