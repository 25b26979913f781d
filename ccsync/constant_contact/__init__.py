"""The Constant Contact client: account, lists, contacts, imports, in the vendor's own words."""
