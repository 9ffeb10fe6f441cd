"""Answers of people, and ours to them: conversations, the way an answer goes out, quick replies."""
