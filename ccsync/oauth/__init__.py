"""Constant Contact's OAuth 2 sign-in: by device, by redirect, and the renewal of what they give."""

from ccsync.oauth.device import DeviceGrant, await_approval, start_device_flow
from ccsync.oauth.redirect import (
    CODE_SECONDS,
    Attempt,
    NotTheAnswer,
    authorization_url,
    exchange_code,
    new_attempt,
    read_answer,
    read_pasted,
)
from ccsync.oauth.tokens import CAMPAIGN_SCOPE, SCOPES, App, TokenAnswer, refresh

__all__ = [
    "CAMPAIGN_SCOPE",
    "CODE_SECONDS",
    "SCOPES",
    "App",
    "Attempt",
    "DeviceGrant",
    "NotTheAnswer",
    "TokenAnswer",
    "authorization_url",
    "await_approval",
    "exchange_code",
    "new_attempt",
    "read_answer",
    "read_pasted",
    "refresh",
    "start_device_flow",
]
