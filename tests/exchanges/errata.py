"""Where the vendors' descriptions are wrong or silent: the one place, each with its reason."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erratum:
    """A fault of a description: the mismatches that it excuses (whole patterns), and how it is known."""

    reason: str
    operation: str
    side: str
    where: str
    what: str = ".*"

    def covers(self, operation: str, side: str, where: str, what: str) -> bool:
        """Is this mismatch the description's fault?"""
        pairs = ((self.operation, operation), (self.side, side), (self.where, where), (self.what, what))
        return all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in pairs)


_KIBO = r"\w+ /(commerce|event|platform)/.*"
ERRATA = (
    Erratum(
        "Kibo describes success only; its SDKs read these statuses, with an `ApiError` or no body",
        _KIBO,
        "answer",
        "status",
        "(400|401|403|404|409|429|5..) is not declared",
    ),
    Erratum(
        "a $ref cannot be nullable in OpenAPI 3.0; Kibo's prose says that every field of an event may be null",
        "GET /event/pull.*",
        "answer",
        r"(\.items\[\])?\.auditInfo",
        'null is not of type "object"',
    ),
    Erratum(
        "@kibocommerce/rest-sdk 3.2634.1 has the field, the older description has not",
        r"\w+ /commerce/customer/accounts.*",
        "(request|answer)",
        ".*",
        r"Unevaluated properties are not allowed \('last2FaDate' was unexpected\)",
    ),
    Erratum(
        "next links carry a cursor; that it goes back as it came is in the prose of every listing",
        "GET /(contacts|contact_lists|contact_custom_fields|contact_tags|activities|automations/workflows)",
        "request",
        r"\?cursor",
    ),
    Erratum(
        "maxItems: 0 beside a prose that says 500",
        "POST /activities/remove_list_memberships",
        "request",
        r"\.(source\.(contact_ids|list_ids|tag_ids)|list_ids)",
        ".* has more than 0 items",
    ),
    Erratum(
        "the items are readOnly beside a prose that says that a new contact is put on these lists",
        "POST /contacts",
        "request",
        r"\.list_memberships\[\]",
        "False schema does not allow .*",
    ),
    Erratum(
        '"home country" with a blank, among work_country, other_country and home_city',
        "POST /activities/contacts_json_import",
        "request",
        r"\.import_data\[\]",
        r"Additional properties are not allowed \('home_country'(, 'cf:[^']+')* (was|were) unexpected\)",
    ),
    Erratum(
        "cf:custom_field_name stands for cf: and the name of any custom field",
        "POST /activities/contacts_json_import",
        "request",
        r"\.import_data\[\]",
        r"Additional properties are not allowed \('cf:[^']+'(, 'cf:[^']+')* (was|were) unexpected\)",
    ),
    Erratum(
        "50 characters here and 80 everywhere else; whether imports take more is a switch (long_address_import)",
        "POST /activities/contacts_json_import",
        "request",
        r"\.import_data\[\]\.email",
        '"[^"]{51,80}" is longer than 50 characters',
    ),
    Erratum(
        "date-time, and seen as 2026-02-05T07:32:49.766+0000, which RFC 3339 does not allow",
        "GET /account/emails",
        "answer",
        r"\[\]\.confirm_time",
    ),
    Erratum(
        "date-time, and seen as a date alone and with an offset without a colon (the switch json_dates)",
        "(GET|PUT|POST) /contacts.*",
        "answer",
        r".*\.email_address\.(opt_in_date|opt_out_date|updated_at)",
        r'"\d{4}-\d\d-\d\d(T.*[+-]\d{4})?" is not a "date-time"',
    ),
    Erratum(
        "209 is the declared success, which no table of HTTP statuses has (the switch automations_status)",
        "GET /automations/workflows",
        "answer",
        "status",
        "200 is not declared",
    ),
    Erratum(
        "type object beside a prose that says a string or an array of strings",
        "GET /automations/workflows/.*",
        "answer",
        r".*\.parameters\[\]\.parameter_value",
        '.* is not of type "object"',
    ),
    Erratum(
        "which status the plan's contact limit gives is in no description (the switch plan_limit_status)",
        "POST /(contacts|activities/contacts_json_import)",
        "answer",
        "status",
        "402 is not declared",
    ),
)
