"""The WhatsApp numbers of a team and their connection."""
