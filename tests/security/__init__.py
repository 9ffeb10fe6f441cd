"""What a hostile user tries."""
