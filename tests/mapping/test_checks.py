"""A wrong mapping is answered with the key, what is allowed, and the nearest right name."""

import pytest

from ccsync.mapping.checks import mapping_problems

DEFAULT = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company_name": "companyOrOrganization",
    "phones": "phoneNumbers",
    "address": "address",
    "anniversary": "customerSinceDate",
    "birthday": "attributes.tenant~birthday",
    "cf:loyalty_tier": "attributes.Tenant~loyalty-tier",
    "cf:segments": "segments",
    "cf:order_count": "commerceSummary.orderCount",
    "cf:kibo_id": "id",
}


def test_the_documented_mapping_is_right() -> None:
    """Every line of the contract's example passes, with and without knowledge of the custom fields."""
    assert mapping_problems(DEFAULT, None) == []
    assert mapping_problems(DEFAULT, {"loyalty_tier", "segments", "order_count", "kibo_id"}) == []
    assert mapping_problems({}, []) == []


@pytest.mark.parametrize(
    ("key", "source", "says"),
    [
        ("fist_name", "firstName", "Did you mean first_name?"),
        ("First_Name", "firstName", "Did you mean first_name?"),
        ("home_phone", "phoneNumbers", "Did you mean phones?"),
        ("street", "address", "Did you mean address?"),
        ("birthday_month", "customerSinceDate", "Did you mean birthday?"),
        ("loyalty tier", "id", "Did you mean cf:loyalty_tier?"),
        ("email", "emailAddress", "always the account's emailAddress"),
        ("cf:", "id", "no such property"),
        ("zzz", "id", "Allowed: first_name, last_name"),
        ("first_name", "firstname", "Did you mean firstName?"),
        ("last_name", "lastNameOrSurname", "Did you mean lastName?"),
        ("cf:kibo_id", "ID", "Did you mean id?"),
        ("first_name", "tenant~nick", "Did you mean attributes.tenant~nick?"),
        ("first_name", "attributes.nick", "Did you mean attributes.tenant~nick?"),
        ("first_name", "Attributes.tenant~nick", "Did you mean attributes.tenant~nick?"),
        ("first_name", "attributes.", "fully qualified name"),
        ("first_name", "commerceSummary.orders", "Did you mean commerceSummary.orderCount?"),
        ("first_name", "", "Allowed: firstName"),
        ("first_name", "phoneNumbers", 'Did you mean phones = "phoneNumbers"?'),
        ("first_name", "address", 'Did you mean address = "address"?'),
        ("phones", "firstName", 'Did you mean phones = "phoneNumbers"?'),
        ("address", "phoneNumbers", 'Did you mean address = "address"?'),
        (
            "birthday",
            "firstName",
            "Allowed: customerSinceDate, commerceSummary.lastOrderDate, attributes.<name>",
        ),
        ("cf:tier", "id", "Did you mean cf:loyalty_tier?"),
        ("cf:Loyalty Tier", "id", "Did you mean cf:loyalty_tier?"),
        ("cf:nothing_like_it", "id", "Its custom fields: kibo_id, loyalty_tier."),
        ("cf:" + "x" * 51, "id", "at most 50 characters"),
    ],
)
def test_a_wrong_line_is_answered_with_the_right_one(key: str, source: str, says: str) -> None:
    """One problem for one fault, on one line, naming the key."""
    problems = mapping_problems({key: source}, ["loyalty_tier", "kibo_id"])
    assert len(problems) == 1
    assert problems[0].startswith(f"[mapping] {key}")
    assert says in problems[0]
    assert problems[0].isprintable()


def test_all_faults_are_told_at_once() -> None:
    """Two faults in one line and a third in another are three problems, in order."""
    problems = mapping_problems({"fist_name": "fistName", "last_name": "lastname"}, None)
    assert [problem.split(":")[0] for problem in problems] == [
        "[mapping] fist_name",
        '[mapping] fist_name = "fistName"',
        '[mapping] last_name = "lastname"',
    ]


def test_unknown_custom_fields_pass_while_nobody_asked_the_account() -> None:
    """Without a call, any name behind cf: may exist."""
    assert mapping_problems({"cf:whatever": "id"}, None) == []
    assert "none yet" in mapping_problems({"cf:whatever": "id"}, [])[0]


def test_more_than_25_custom_fields_are_refused() -> None:
    """Constant Contact takes 25 in a contact; the problem says how many to remove."""
    assert mapping_problems({f"cf:f{n}": "id" for n in range(25)}, None) == []
    assert "remove 2" in mapping_problems({f"cf:f{n}": "id" for n in range(27)}, None)[0]
