"""Reads the map: jobs (from id to rows), browser (Playwright), parse (the map's arrays to Places)."""
