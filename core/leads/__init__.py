"""The businesses of a team: phones, duplicates, filters."""
