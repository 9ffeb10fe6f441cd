"""What is to be said, to whom, and the life of a campaign."""
