"""Who must never be written to again."""
