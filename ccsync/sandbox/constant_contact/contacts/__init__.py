"""Single contacts, read and written."""
