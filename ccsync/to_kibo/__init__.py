"""Write back: find the accounts of a person, set `acceptsMarketing`, compare the answer."""
