"""Access and refresh tokens: their form, their scopes, and when they expire."""

import base64
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock

_IDLE_DAYS = 180
"""Of a refresh token: staff, https://community.constantcontact.com/t5/API-Developer-Support/
Refresh-token-expiry/td-p/402882"""
_REFRESH_LENGTH = 42
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token lets its bearer do, and until when."""

    scopes: frozenset[str]
    expires_at: datetime


@dataclass(slots=True)
class RefreshToken:
    """A refresh token that has not been used up."""

    scopes: tuple[str, ...]
    used_at: datetime


class Tokens:
    """Every token this sandbox has given out."""

    def __init__(self, settings: SandboxSettings, clock: Clock, chance: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}

    def issue(self, scopes: tuple[str, ...]) -> dict[str, object]:
        """The answer to a grant; a refresh token only with `offline_access`."""
        answer = self._answer(scopes)
        if "offline_access" in scopes and self._settings.device_gives_refresh_token:
            answer["refresh_token"] = self._new_refresh_token(scopes)
        return answer

    def refresh(self, refresh_token: str, narrowed: frozenset[str] | None) -> dict[str, object] | None:
        """The answer to a refresh; `None` when the token is unknown, used up or idle for too long."""
        now = self._clock()
        known = self._refresh.get(refresh_token)
        if known is None or now - known.used_at > timedelta(days=_IDLE_DAYS):
            return None
        if narrowed is not None and not narrowed.issubset(known.scopes):
            return None
        answer = self._answer(tuple(one for one in known.scopes if narrowed is None or one in narrowed))
        known.used_at = now
        if self._settings.refresh_tokens == "rotating":
            # Single use, and the new one ends the old: the same community thread.
            del self._refresh[refresh_token]
            answer["refresh_token"] = self._new_refresh_token(known.scopes)
        elif self._settings.refresh_tokens == "long-lived":
            answer["refresh_token"] = refresh_token
        return answer

    def find(self, access_token: str) -> AccessToken | None:
        """What this token may do; `None` when it is unknown or has expired."""
        found = self._access.get(access_token)
        return found if found and self._clock() < found.expires_at else None

    def revoke(self, *, access: bool = True, refresh: bool = True) -> None:
        """Revoke all tokens, as when the user who approved is deleted."""
        if access:
            self._access.clear()
        if refresh:
            self._refresh.clear()

    def _answer(self, scopes: tuple[str, ...]) -> dict[str, object]:
        lifetime = self._settings.access_token_seconds
        expires_at = self._clock() + timedelta(seconds=lifetime)
        access_token = self._jwt(scopes, expires_at)
        self._access[access_token] = AccessToken(frozenset(scopes), expires_at)
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "access_token": access_token,
            "scope": " ".join(scopes),
        }

    def _jwt(self, scopes: tuple[str, ...], expires_at: datetime) -> str:
        """A token that looks real, 1,000 to 1,200 characters, with a random signature."""
        header = {"kid": self._random(43), "alg": "RS256"}
        claims = {
            "ver": 1,
            "jti": f"AT.{self._random(43)}.{self._random(20)}",
            "iss": "https://identity.constantcontact.com/oauth2/aus1lm3ry9mF7x2Ja0h8",
            "aud": "https://api.cc.email/v3",
            "iat": int(self._clock().timestamp()),
            "exp": int(expires_at.timestamp()),
            "cid": self._settings.cc_client_id,
            "uid": self._random(20),
            "scp": list(scopes),
            "auth_time": int(self._clock().timestamp()),
            "sub": "lola@example.com",
            "platform_user_id": self._random(36),
        }
        parts = [json.dumps(one, separators=(",", ":")).encode() for one in (header, claims)]
        return ".".join([*map(_encode, parts), _encode(self._chance.randbytes(256))])

    def _new_refresh_token(self, scopes: tuple[str, ...]) -> str:
        token = self._random(_REFRESH_LENGTH)
        self._refresh[token] = RefreshToken(scopes, self._clock())
        return token

    def _random(self, length: int) -> str:
        return "".join(self._chance.choices(_ALPHABET, k=length))


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
