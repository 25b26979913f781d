"""The Kibo client: tokens, tenant, customer accounts, in the vendor's own words."""

from ccsync.kibo.client import CustomerPage, Kibo
from ccsync.kibo.sign_in import IssuedToken, request_token
from ccsync.kibo.writes import WholeAccount, Written

__all__ = ["CustomerPage", "IssuedToken", "Kibo", "WholeAccount", "Written", "request_token"]
