"""HTTP to the vendors: one call done safely (`http`), and what its answer means (`classification`)."""
