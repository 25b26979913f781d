"""How a sandbox behaves: its size, its limits, and each thing the vendors' descriptions leave open."""

from dataclasses import dataclass

DATE_FORMATS = ("zulu", "milliseconds", "offset", "compact-offset", "date", "mixed")
"""The five formats seen of the vendor: 2026-10-01T09:41:07Z, …07.091Z, …07-05:00, …07.766+0000, 2026-10-01; and all
of them, one contact after the other."""
CHOICES: dict[str, tuple[object, ...]] = {
    "app_flow": ("device", "pkce", "code"),
    "deepest_row_answer": ("refuse", "hide"),
    "sort_by_id": ("works", "refuse", "ignore"),
    "longest_first_name": (50, 70),
    "page_over_200": ("refuse", "cap"),
    "update_date_filter": ("works", "refuse", "ignore"),
    "update_date_name": ("flattened", "nested", "both"),
    "rows_lack": ("absent", "null", "empty"),
    "audit_log": ("shown", "refuse", "missing", "empty"),
    "event_host": ("home", "tenant", "both"),
    "event_filter": ("works", "refuse", "ignore"),
    "event_sort": ("works", "refuse", "ignore"),
    "event_default_order": ("oldest", "newest", "stored"),
    "refresh_tokens": ("rotating", "long-lived", "long-lived-silent"),
    "status_default": ("not-deleted", "active"),
    "long_address_import": ("accept", "correctable", "drop", "lose"),
    "custom_field_names": ("as-labelled", "lower"),
    "unknown_custom_field": ("ignore", "error", "fail"),
    "list_change_trace": ("none", "source", "both"),
    "unknown_contact_ids": ("ignore", "refuse"),
    "missing_list_status": (404, 400),
    "add_unsubscribed_to_list": ("skip", "join"),
    "put_omitted_email": ("keep", "refuse"),
    "put_omitted_permission": ("keep", "implicit"),
    "put_revives_by_contact": ("refuse", "revive"),
    "post_permission": ("implicit", "explicit", "pending_confirmation"),
    "json_dates": DATE_FORMATS,
    "export_dates": DATE_FORMATS,
    "export_headings": ("labels", "names", "unknown"),
    "export_lists": ("names", "ids", "absent"),
    "export_created_at": ("shown", "absent", "refuse"),
    "export_encoding": ("utf-8", "utf-8-sig", "utf-16"),
    "plan_limit_answer": ("partial", "refuse"),
    "plan_limit_status": (400, 402, 403),
    "bulk_adds_pending": ("wait", "join"),
    "automations_status": (209, 200),
    "deleted_list": ("gone", "shown"),
    "contact_pages": ("ordinary", "overlap", "loop", "endless"),
}
"""The words that a setting can be."""
CUSTOMER_TOPICS = frozenset(f"customeraccount.{what}" for what in ("created", "updated", "deleted"))
SEGMENT_TOPICS = frozenset({"customersegment.customeradded", "customersegment.customerremoved"})
ROW_SECTIONS = frozenset({"contacts", "attributes", "segments", "commerceSummary"})
LOSABLE = frozenset({"companyOrOrganization", "externalId", "localeCode", "taxId", "userName"})


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """One sandbox. The defaults are the behavior that is thought most likely.

    Seconds are seconds of the sandbox's own clock.
    """

    customers: int = 50
    seed: int = 1
    opted_in_percent: int = 60  # of ordinary customers
    hostile: bool = False  # people whose data attacks terminals, spreadsheets and programs, among the others
    latency_ms: int = 0  # real milliseconds before each Kibo answer
    latency_most_ms: int = 0  # where it varies: up to so many, half of them before the request is looked at
    # Kibo
    tenant_id: int = 12345
    kibo_client_id: str = "sbx0001.ccsync.1.0.0.Release"
    kibo_client_secret: str = "sandbox-kibo-shared-secret"
    kibo_requests_per_minute: int = 0  # 0: no limit; else an empty 429 with Retry-After
    kibo_retry_after_seconds: int = 60
    page_over_200: str = "refuse"  # or "cap"
    guests_by_default: bool = True  # does the list hold anonymous accounts when isAnonymous is omitted
    deepest_row: int = 0  # the last record that a list of accounts shows; 0: no such limit
    deepest_row_answer: str = "refuse"  # or "hide": a page that reaches deeper is a 400, or ends there
    total_cap: int = 0  # what totalCount counts at most, of accounts and of events; 0: no such limit
    sort_by_id: str = "works"  # or "refuse" (400), "ignore": sorting accounts by id
    b2b_users_make_events: bool = True  # does a change of a user of a business account make an event of the account
    redaction_writes: str = ""  # what stands where a redacted person's address and names were
    redaction_makes_event: bool = True
    part_edits_make_events: bool = True  # does a change of nothing but contacts, attributes or segments make an event
    update_date_filter: str = "works"  # or "refuse" (400), "ignore": filtering accounts by updateDate
    update_date_name: str = "flattened"  # or "nested" (auditInfo.updateDate), "both": how that filter names it
    rows_carry: frozenset[str] = ROW_SECTIONS
    rows_lack: str = "absent"  # or "null", "empty": how a row of the list shows a part that it does not carry
    audit_log: str = "shown"  # or "refuse" (403), "missing" (404), "empty": the audit log of an account
    # Kibo's event pull: host, filter, sort, order, lag and retention are all undocumented
    event_host: str = "home"  # where every SDK asks; the description lists the tenant's host, too: or "tenant", "both"
    event_filter: str = "works"  # or "refuse" (400), "ignore": filtering events by topic and createDate
    event_sort: str = "works"  # or "refuse" (400), "ignore": sorting events by createDate
    event_default_order: str = "oldest"  # or "newest", "stored" (as they became visible): without a sort that works
    event_lag_seconds: float = 0.0  # how long after the change an event becomes visible
    event_kept_days: int = 14  # documented for pushed events only
    event_topics: frozenset[str] = CUSTOMER_TOPICS  # what the application subscribes to; other topics make no events
    segment_events_name_account: bool = True  # they "may contain" a customerAccountId; their entity is the segment
    event_ids_dashed: bool = False  # the description shows ids with dashes and without
    event_pages_repeat: bool = False  # a fault: every page is the first one, and there is always another
    total_off: int = 0  # a fault: so many accounts more in totalCount than a list can ever show
    address_filter_minds_case: bool = False  # filtering accounts by emailAddress
    put_loses: frozenset[str] = frozenset()  # a fault: text fields of an account that a PUT blanks, whatever it says
    put_makes_events: bool = True  # does a PUT of ours come back as an event, `noCallback` or not
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
    long_address_import: str = "accept"  # 51-80 letters: "correctable", "drop" (silently), "lose" (counted as taken)
    longest_first_name: int = 50  # or 70: in imports; the description has 50, a contact elsewhere more
    imports_start_automations: bool = False  # do those whom an import puts on a list get the mails of its automations
    custom_field_names: str = "as-labelled"  # or "lower": the name made of a new field's label, as seen in places
    unknown_custom_field: str = "ignore"  # or "error" (the row), "fail" (the job)
    import_revives_deleted: bool = True
    import_updates_unsubscribed: bool = True  # other fields than permission and lists
    # Constant Contact: memberships. What a change of lists shows of itself, and what a job does with odd ids
    membership_seconds: float = 1.0  # how long a job that adds to or removes from lists stays unfinished
    list_change_trace: str = "none"  # or "source" (update_source), "both" (and updated_at), as API v1 documented
    unknown_contact_ids: str = "ignore"  # or "refuse" (400): ids that no contact has, in a job's source
    missing_list_status: int = 404  # or 400: a job for a list that does not exist
    add_unsubscribed_to_list: str = "skip"  # or "join": who opted out, named in add_list_memberships
    # Constant Contact: single writes, where the description is silent
    put_omitted_email: str = "keep"  # or "refuse" (400): a PUT without email_address
    put_omitted_permission: str = "keep"  # or "implicit": a PUT whose email_address has no permission_to_send
    put_revives_by_contact: str = "refuse"  # or "revive": a deleted contact wants the update_source Account
    put_again_moves_opt_out_date: bool = False  # an unsubscribe of somebody who is unsubscribed already
    post_permission: str = "implicit"  # or "explicit", "pending_confirmation" (Confirmed Opt-In is on)
    # Constant Contact: the account's own settings
    confirmed_opt_in: bool = False  # a contact created with create_source Contact is on no list until it confirms
    bulk_adds_pending: str = "wait"  # or "join": a bulk job that adds somebody who has not confirmed yet
    plan_contact_limit: int = 0  # contacts that the plan allows; 0: no limit
    plan_limit_answer: str = "partial"  # or "refuse": what happens to an import at the limit
    plan_limit_status: int = 400  # or 402, 403: how an import or a create is refused there
    rename_moves_updated_at: bool = False  # does a change of address in *Update Profile* show in updated_at
    automations_status: int = 209  # or 200: what the list of automations is answered with; 209 is declared
    deleted_list: str = "gone"  # or "shown": GET of a deleted list is 404, or it has a deleted_at
    # Constant Contact: contact exports; headings, dates, encoding and what a row shows are all undocumented
    export_seconds: float = 2.0  # how long one stays unfinished, plus one second per 10,000 rows
    export_headings: str = "labels"  # or "names" (as in `fields`), "unknown" (nothing that could be recognized)
    export_dates: str = "zulu"
    export_lists: str = "names"  # or "ids", "absent": what email_lists shows
    export_created_at: str = "shown"  # or "absent": no such column, "refuse" (400): no such field
    export_has_contact_id: bool = False
    export_holds_deleted: bool = False  # deleted contacts, where no status is asked for
    export_encoding: str = "utf-8"  # or "utf-8-sig", "utf-16"
    export_kept_hours: float = 24.0
    # Constant Contact: reading contacts
    json_dates: str = "zulu"  # opt_in_date, opt_out_date and updated_at of an email_address
    opt_out_dates_shown: bool = True  # false: no opt_out_date is shown, though optout_after finds the contacts
    sms_only_contacts: int = 2  # contacts without an address, made with the account
    contact_pages: str = "ordinary"  # or a fault: "overlap" (rows twice), "loop" (cursor repeats), "endless"

    def __post_init__(self) -> None:
        """Refuse values that would have no effect."""
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be one of {', '.join(map(str, words))}")
        if unknown := self.rows_carry - ROW_SECTIONS:
            raise ValueError(f"rows_carry: there is no part {min(unknown)}")
        if unknown := self.event_topics - CUSTOMER_TOPICS - SEGMENT_TOPICS:
            raise ValueError(f"event_topics: customers have no topic {min(unknown)}")
        if unknown := self.put_loses - LOSABLE:
            raise ValueError(f"put_loses: {min(unknown)} is not among {', '.join(sorted(LOSABLE))}")
        if min(self.customers, self.latency_ms, self.sms_only_contacts) < 0 or not 0 <= self.opted_in_percent <= 100:
            raise ValueError("customers, latency_ms and sms_only_contacts are at least 0, opted_in_percent is 0 to 100")
