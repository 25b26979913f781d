"""How a sandbox behaves: its size, its limits, and each thing the vendors' descriptions leave open."""

from dataclasses import dataclass

CHOICES = {
    "app_flow": ("device", "pkce", "code"),
    "page_over_200": ("refuse", "cap"),
    "update_date_filter": ("works", "refuse", "ignore"),
    "refresh_tokens": ("rotating", "long-lived", "long-lived-silent"),
    "status_default": ("not-deleted", "active"),
    "long_address_import": ("accept", "correctable", "drop"),
    "unknown_custom_field": ("ignore", "error", "fail"),
}
"""The words that a setting can be."""
ROW_PARTS = frozenset({"contacts", "attributes", "segments", "commerceSummary"})


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """One sandbox; the defaults are the behaviour thought most likely.

    Seconds are seconds of the sandbox's own clock.
    """

    customers: int = 50
    seed: int = 1
    opted_in_percent: int = 60  # of ordinary customers
    latency_ms: int = 0  # real milliseconds before each Kibo answer
    # Kibo
    tenant_id: int = 12345
    kibo_client_id: str = "sbx0001.ccsync.1.0.0.Release"
    kibo_client_secret: str = "sandbox-kibo-shared-secret"
    kibo_requests_per_minute: int = 0  # 0: no limit; else an empty 429 with Retry-After
    kibo_retry_after_seconds: int = 60
    page_over_200: str = "refuse"  # or "cap"
    guests_by_default: bool = True  # does the list hold anonymous accounts when isAnonymous is omitted
    update_date_filter: str = "works"  # or "refuse" (400), "ignore": filtering accounts by updateDate
    rows_carry: frozenset[str] = ROW_PARTS
    # Constant Contact
    cc_client_id: str = "5b8d2f60-sandbox-key"
    cc_client_secret: str = "sandbox-contact-app-secret"  # used by an app of the flow "code"
    app_flow: str = "device"  # or "pkce", "code": the app's one OAuth2 setting in the portal
    redirect_uri: str = "http://localhost:8484/callback"  # as registered for the app
    cc_requests_per_second: int = 4  # 0: no limit
    cc_requests_per_day: int = 10_000
    refresh_tokens: str = "rotating"  # or "long-lived" (same value returned), "long-lived-silent" (none returned)
    device_gives_refresh_token: bool = True
    device_interval_seconds: int = 5
    access_token_seconds: int = 86_400
    import_seconds: float = 3.0  # how long an import stays unfinished, plus one second per 10,000 rows
    status_default: str = "not-deleted"  # or "active": GET /contacts without `status`
    optout_after_is_inclusive: bool = True
    resubscribe_keeps_opt_out_date: bool = True  # an opt_out_date beside a permission that is explicit again
    unsubscribed_keep_lists: bool = False  # list_memberships after a global unsubscribe
    items_total_counts_header: bool = True
    long_address_import: str = "accept"  # 51-80 characters: or "correctable", "drop" (silently)
    unknown_custom_field: str = "ignore"  # or "error" (the row), "fail" (the job)
    import_revives_deleted: bool = True
    import_updates_unsubscribed: bool = True  # other fields than permission and lists

    def __post_init__(self) -> None:
        """Refuse a value that would quietly mean nothing."""
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be one of {', '.join(words)}")
        if unknown := self.rows_carry - ROW_PARTS:
            raise ValueError(f"rows_carry: there is no part {min(unknown)}")
        if self.customers < 0 or self.latency_ms < 0 or not 0 <= self.opted_in_percent <= 100:
            raise ValueError("customers and latency_ms are at least 0, opted_in_percent is 0 to 100")
