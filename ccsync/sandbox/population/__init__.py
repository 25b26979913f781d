"""The seeded people of both vendors."""
