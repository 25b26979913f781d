"""Every fact about the vendors that nobody has checked on a live account, with the switch and the stories for it.

`source` names the open point in the notes on the vendors: K for Kibo, C for Constant Contact, and the section.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One open question, and what ccsync does until it is answered.

    `switches` are the sandbox's settings that take either value; `stories` the tests that run under them. A fact
    without a switch says in `conduct` why no answer could change anything.
    """

    source: str
    question: str
    conduct: str
    switches: tuple[str, ...] = ()
    stories: tuple[str, ...] = ()


_EVENTS = "tests/from_kibo/test_events.py::"
_FINDINGS = "tests/from_kibo/test_findings.py::"
_ROWS = "tests/from_kibo/test_row_sections.py::"
_WAYS = "tests/jobs/test_vendor_ways.py::"
_EITHER = "tests/jobs/test_either_way.py::"
_POLL = "tests/jobs/test_poll_unsubscribes.py::"
_DEPARTURES = "tests/from_constant_contact/test_departures.py::"
_MOVES = "tests/identity/test_departures_and_returns.py::"
_REFUSED = "tests/to_constant_contact/test_refused_imports.py::"
_SEGMENTS = "tests/to_constant_contact/tags/test_segments.py::"
_DAY = _EITHER + "test_a_day_ends_alike"
_LIST = _WAYS + "test_the_list_is_right_whichever_way_the_vendor_goes"

FACTS = (
    # Kibo
    Fact("K8.1", "Which host serves events?", "asks event_url, then the tenant's host; remembers which",
         ("event_host",), (_EVENTS + "test_events_may_be_at_either_host",)),
    Fact("K8.1", "Which filters and sort orders of events are taken?", "tries four ways; remembers for a week",
         ("event_filter", "event_sort", "event_default_order"),
         (_EVENTS + "test_filter_and_sort_may_work_or_not", _FINDINGS + "test_an_idle_flush_asks_for_events_once")),
    Fact("K8.1", "How long are events kept for pulling?",
         "reads everybody who opts in when its bookmark is seven days old; an account that says no and took over an"
         " address that had been left before stays unseen until it changes again, or until `reconcile` names it",
         ("event_kept_days",), (_DAY,)),
    Fact("K7a", "How late does an event become visible?", "looks back an hour, once a day a day",
         ("event_lag_seconds",), (_DAY,)),
    Fact("K2.2", "Are ids of events dashed?", "takes both for the same id", ("event_ids_dashed",),
         (_EVENTS + "test_ids_with_and_without_dashes_are_one",)),
    Fact("K8.2", "Does the list hold guests when isAnonymous is left out?", "compares totals; reads guests apart",
         ("guests_by_default",), (_LIST, _ROWS + "test_every_combination")),
    Fact("K8.2", "Can accounts be filtered by their update date, and by which name?",
         "tries both names; remembers for a week; reads on without it", ("update_date_filter", "update_date_name"),
         (_LIST, _FINDINGS + "test_the_name_of_the_update_date_is_found_out_once")),
    Fact("K8.2", "Are rows beyond the 10,000th shown?", "reads on from the creation date of the last row",
         ("deepest_row", "deepest_row_answer"), (_EITHER + "test_rows_beyond_some_depth_are_read_in_windows",)),
    Fact("K8.2", "Does totalCount stop counting at some number?", "looks beyond a total of whole thousands",
         ("total_cap",), (_EITHER + "test_a_total_that_stops_counting_is_not_believed",)),
    Fact("K8.2", "What does a page size of 201 give?", "never asks for more than 200", ("page_over_200",), (_LIST,)),
    Fact("K8.2", "Does `id asc` sort accounts?", "sorts by createDate, which is proven, and by nothing else",
         ("sort_by_id",), ("tests/cli/commands/test_doctor_probe.py::test_what_is_open_is_found_out",)),
    Fact("K3.2", "Does the filter by address mind the case of letters?", "compares addresses itself",
         ("address_filter_minds_case",), (_POLL + "test_every_account_is_found_whatever_kibos_ways",)),
    Fact("K8.3", "What of an account does a PUT change besides?", "compares the answer, says what differs, stops",
         ("put_loses",), (_POLL + "test_a_put_that_loses_a_field_is_reported",)),
    Fact("K8.3", "Does our own PUT come back as an event?", "knows an echo, and expects none", ("put_makes_events",),
         (_DAY,)),
    Fact("K8.4", "Does a change of a contact or an attribute alone make an event?", "the next export finds it",
         ("part_edits_make_events",),
         (_EITHER + "test_a_part_that_is_edited_arrives_with_the_next_export_at_the_latest",)),
    Fact("K2.4", "Does a change of segments make an event that names the account?",
         "uses it; compares everybody's segments once a day", ("segment_events_name_account", "event_topics"),
         (_SEGMENTS + "test_an_event_of_a_segment_is_used",
          _SEGMENTS + "test_without_events_the_daily_comparison_finds_it")),
    Fact("K8.4", "Do users of B2B accounts make events?", "B2B accounts neither add nor keep anybody",
         ("b2b_users_make_events",), (_EITHER + "test_a_business_account_is_nobody_s",)),
    Fact("K8.5", "Which parts of an account do rows of the list carry?", "compares rows with single reads",
         ("rows_carry", "rows_lack"), (_ROWS + "test_every_combination",)),
    Fact("K3.1", "May the application read an account's audit log, and does it show changes of consent?",
         "adds what it shows to the ledger, and keeps an opt-out that it shows to be the owner's own; remembers a"
         " refusal for a week", ("audit_log",),
         ("tests/from_kibo/test_audit_evidence.py::test_either_way_the_run_ends_well",)),
    Fact("K7a", "What does redaction write into an account?", "no usable address means deleted, in every form",
         ("redaction_writes", "redaction_makes_event"), (_EITHER + "test_a_redacted_account_is_gone",)),
    # Constant Contact
    Fact("C11.1", "Does the device flow give a refresh token?", "refuses a login without one",
         ("device_gives_refresh_token",), (_EITHER + "test_a_device_login_without_a_refresh_token_is_none",)),
    Fact("C1.6", "Do refresh tokens rotate, and are they sent back?", "saves what comes, keeps what does not",
         ("refresh_tokens",), (_LIST,)),
    Fact("C11.2", "Does an import start an automation?", "names the automations and asks before the first export",
         ("imports_start_automations",),
         (_EITHER + "test_a_paused_automation_mails_nobody",
          "tests/reports/test_first_export.py::test_each_automation_on_the_list_is_named_with_its_state")),
    Fact("C11.3", "Is optout_after inclusive?", "looks back a day each time", ("optout_after_is_inclusive",), (_LIST,)),
    Fact("C11.4", "Do lists stay with who unsubscribed?", "goes by the permission, not by lists",
         ("unsubscribed_keep_lists",), (_LIST,)),
    Fact("C11.5", "What does an import change of who unsubscribed?", "never sends who is suppressed",
         ("import_updates_unsubscribed",), (_LIST,)),
    Fact("C11.6", "Does an import revive deleted contacts?", "looks who arrived",
         ("import_revives_deleted",), (_LIST,)),
    Fact("C11.7", "What becomes of an unknown custom field?", "names the rows that were refused",
         ("unknown_custom_field",), (_WAYS + "test_an_unknown_custom_field",)),
    Fact("C11.7", "Do imports take addresses of 51 to 80 characters?", "sends them, names who did not arrive",
         ("long_address_import",), (_WAYS + "test_a_long_address_that_is_not_taken_is_named",)),
    Fact("C11.7", "Do imports take first names of 70 characters?", "cuts names at the described 50",
         ("longest_first_name",), (_EITHER + "test_a_long_first_name_arrives_cut",)),
    Fact("C8.3", "How is a field's name made of its label?", "reads it back", ("custom_field_names",),
         ("tests/cli/commands/test_configure.py::test_the_vendor_s_spelling_of_a_new_field_is_read_back",)),
    Fact("C11.8", "What does leaving a list through Update Profile change?", "looks at memberships, not at dates",
         ("list_change_trace", "rename_moves_updated_at"), (_DEPARTURES + "test_the_log_says_whose_act_it_was", _DAY)),
    Fact("C11.9", "Does a PUT with implicit opt somebody in?", "no such body leaves the client"),
    Fact("C11.10", "May a redirect URI be http://localhost?", "the answer can be pasted, whatever the URI",
         ("redirect_uri",), ("tests/cli/setup/test_login_by_browser.py::test_pasting_the_address",)),
    Fact("C10a", "What does Confirmed Opt-in do to a new contact?", "waiting is not leaving",
         ("confirmed_opt_in", "bulk_adds_pending"), (_MOVES + "test_who_confirms_is_on_the_list",)),
    Fact("C10a", "What happens at the plan's limit?", "blames nobody; tries again later",
         ("plan_contact_limit", "plan_limit_answer", "plan_limit_status"),
         (_REFUSED + "test_a_plan_that_refuses_imports_blames_nobody",)),
    Fact("C10a", "Are automations answered with 209?", "takes any success", ("automations_status",), (_DAY,)),
    Fact("C4.1", "What does GET /contacts show without status?", "always names a status", ("status_default",),
         (_LIST,)),
    Fact("C4.2", "Does a resubscribe keep the date of the opt-out?", "goes by permission and opt_in_date",
         ("resubscribe_keeps_opt_out_date", "opt_out_dates_shown"), (_LIST, _DAY)),
    Fact("C4.3", "Which formats have dates?", "understands the five that were seen", ("json_dates", "export_dates"),
         (_POLL + "test_every_date_of_the_vendor_is_understood", _DAY)),
    Fact("C5.3", "Does items_total_count count a header?", "goes by person_count", ("items_total_counts_header",),
         (_LIST,)),
    Fact("C5.5", "What do bulk jobs do with ids and lists that are gone?", "looks first; takes a refusal for an answer",
         ("unknown_contact_ids", "missing_list_status", "add_unsubscribed_to_list", "deleted_list"),
         (_DAY, "tests/from_constant_contact/test_list_record.py::test_a_deleted_list_is_reported_by_every_poll")),
    Fact("C5.6", "How does an exported file look, and how long is it kept?", "recognizes headings, or reads pages",
         ("export_headings", "export_lists", "export_encoding", "export_has_contact_id", "export_holds_deleted",
          "export_kept_hours"), (_DEPARTURES + "test_a_large_list_is_read_by_an_export", _DAY)),
    Fact("C5.6", "Does an exported file show when a contact was created, and how?",
         "recognizes five headings and wants a zone, or reads pages; remembers for a week",
         ("export_created_at", "export_dates", "export_headings"),
         ("tests/from_constant_contact/test_members.py::test_many_changed_people_are_looked_at_by_one_export",)),
    Fact("C3.4", "What does a PUT do with what it leaves out?", "sends address and permission, never to who is deleted",
         ("put_omitted_email", "put_omitted_permission", "put_revives_by_contact", "put_again_moves_opt_out_date"),
         (_DAY,)),
    Fact("C3.1", "Which permission does a new contact get?", "names none", ("post_permission",), (_DAY,)),
)  # fmt: skip

NO_FACTS = frozenset(
    {
        "customers", "seed", "opted_in_percent", "hostile", "latency_ms", "latency_most_ms", "tenant_id",
        "kibo_client_id", "kibo_client_secret", "kibo_requests_per_minute", "kibo_retry_after_seconds",
        "event_pages_repeat", "total_off", "cc_client_id", "cc_client_secret", "app_flow",
        "cc_requests_per_second", "cc_requests_per_day", "device_interval_seconds", "access_token_seconds",
        "import_seconds", "membership_seconds", "export_seconds", "sms_only_contacts", "contact_pages",
    }
)  # fmt: skip
"""Sizes, credentials, limits, times and faults: no question of how a vendor is."""
