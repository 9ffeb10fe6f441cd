"""Teams, users, roles: who may do what."""
