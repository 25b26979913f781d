"""The Kibo client: tokens, tenant, customer accounts, in the vendor's own words."""
