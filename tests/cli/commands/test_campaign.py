"""`ccsync campaign`: a draft with the sender as configured, and nothing half made that is not named."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.constant_contact.campaigns.emails import Campaign
from ccsync.sandbox.settings import SandboxSettings
from tests.inside import InsideShop

SETTINGS = SandboxSettings(customers=5)
HTML = "<html><body><p>Hello</p></body></html>"
WORDS = ("campaign", "News", "--subject", "What is new")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        made.edit("[sync]", '[sync]\nfrom_email = "info@example.com"\nreply_to_email = "news@example.com"')
        assert made.ccsync("login", "--cc-only", "--yes", "--campaigns").returncode == 0
        (tmp_path / "page.html").write_text(HTML)
        (tmp_path / "news.txt").write_text("Hello\n\nWe have moved.\n")
        yield made


def draft(shop: InsideShop, *more: str) -> tuple[int, str]:
    """Run the command with a good page; the code and what it said."""
    done = shop.ccsync(*WORDS, "--html", str(shop.folder / "page.html"), *more)
    return done.returncode, done.stdout + done.stderr


def campaigns(shop: InsideShop) -> list[Campaign]:
    return shop.box.cc.emails.campaigns


def test_a_draft_has_sender_list_and_tracking_image(shop: InsideShop) -> None:
    """From, ReplyTo and list as configured, in the account's spelling; --json names id and link; nothing is sent."""
    code, text = draft(shop, "--preheader", "Soon", "--json")
    assert code == 0, text
    (made,) = campaigns(shop)
    facts = json.loads(text)
    assert facts["id"] == made.campaign_id
    assert made.activity_id in facts["link"]
    assert made.content == {
        "format_type": 5,
        "from_name": "Sandbox Outfitters",
        "from_email": "info@example.com",
        "reply_to_email": "News@example.com",
        "subject": "What is new",
        "preheader": "Soon",
        "html_content": "<html><body>[[trackingImage]]<p>Hello</p></body></html>",
        "contact_list_ids": [shop.list_id],
    }
    assert shop.box.cc.forbidden_calls == []


def test_a_text_becomes_a_page(shop: InsideShop) -> None:
    """--text makes a page, with the configured From name."""
    shop.edit("[sync]", '[sync]\nfrom_name = "The Web Shop"')
    done = shop.ccsync(*WORDS, "--text", str(shop.folder / "news.txt"))
    assert done.returncode == 0, done.stderr
    assert "nothing is sent" in done.stdout
    (made,) = campaigns(shop)
    assert made.content["from_name"] == "The Web Shop"
    assert "<p>We have moved.</p>" in str(made.content["html_content"])
    assert "[[trackingImage]]" in str(made.content["html_content"])


def test_a_lost_answer_makes_no_second_draft(shop: InsideShop) -> None:
    """Whether the draft was created is found out by its name; the command goes on with it."""
    shop.box.faults.add("reset-after", vendor="cc_api", path=".*/v3/emails")
    code, text = draft(shop)
    assert code == 0, text
    (made,) = campaigns(shop)
    assert made.content["contact_list_ids"] == [shop.list_id]


def test_a_request_that_was_lost_says_that_nothing_was_created(shop: InsideShop) -> None:
    """Without the draft in the account the message says so (exit 8), and running it again works."""
    shop.box.faults.add("reset-before", vendor="cc_api", path=".*/v3/emails")
    code, text = draft(shop)
    assert (code, campaigns(shop)) == (8, [])
    assert "so it was not created" in text
    assert draft(shop)[0] == 0


def test_a_draft_without_its_list_is_named(shop: InsideShop) -> None:
    """Where the list cannot be set the message has the draft's name and link."""
    shop.box.faults.add("status", vendor="cc_api", path=".*/emails/activities/.*", nth=None, status=400)
    code, text = draft(shop)
    (made,) = campaigns(shop)
    assert code == 9
    assert 'The draft "News" was created, but its list could not be set.' in text
    assert made.activity_id in text


def no_scope(shop: InsideShop) -> None:
    shop.edit("[sync]", "[sync]")
    store = shop.open()
    store.run("UPDATE tokens SET scope = 'account_read contact_data offline_access' WHERE vendor = 'constant_contact'")
    store.close()


def no_privilege(shop: InsideShop) -> None:
    shop.box.cc.account.lack(["campaign:write"])


def unconfirmed_sender(shop: InsideShop) -> None:
    shop.box.cc.account.set_confirmed("info@example.com", False)


def unconfirmed_reply_to(shop: InsideShop) -> None:
    shop.box.cc.account.set_confirmed("news@example.com", False)


def no_sender(shop: InsideShop) -> None:
    shop.edit('from_email = "info@example.com"\n', "")


def no_list(shop: InsideShop) -> None:
    shop.edit("list_id =", "# list_id =")


def list_deleted(shop: InsideShop) -> None:
    shop.box.cc.delete_list(shop.list_id)


def too_long(shop: InsideShop) -> None:
    (shop.folder / "page.html").write_text("x" * 149_990)


def far_too_long(shop: InsideShop) -> None:
    (shop.folder / "page.html").write_text("ä" * 2_000_001)


def not_utf_8(shop: InsideShop) -> None:
    (shop.folder / "page.html").write_bytes(b"<p>Gr\xfc\xdfe</p>")


def empty(shop: InsideShop) -> None:
    (shop.folder / "page.html").write_text(" \n")


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (no_scope, 5, ["campaign_data", "ccsync login --campaigns"]),
        (no_privilege, 9, ["refused POST /v3/emails", "403"]),
        (unconfirmed_sender, 4, ["from_email", "confirm"]),
        (unconfirmed_reply_to, 4, ["reply_to_email", "confirm"]),
        (no_sender, 4, ["No From address", "ccsync configure --from-email"]),
        (no_list, 4, ["No contact list", "ccsync configure --list"]),
        (list_deleted, 9, ["no longer exists"]),
        (too_long, 2, ["150,007 characters", "150,000"]),
        (far_too_long, 2, ["150,000"]),
        (not_utf_8, 2, ["not UTF-8", "line 1", "iconv"]),
        (empty, 2, ["it is empty"]),
    ],
)
def test_bad_input_makes_nothing(
    shop: InsideShop, spoil: Callable[[InsideShop], None], code: int, words: list[str]
) -> None:
    """What, why and what to do, with the documented code; no campaign is left behind."""
    spoil(shop)
    found, text = draft(shop)
    assert found == code, text
    assert [word for word in words if word not in text] == []
    assert campaigns(shop) == []


def test_a_name_that_is_taken_is_refused(shop: InsideShop) -> None:
    """The vendor takes each name once."""
    assert draft(shop)[0] == 0
    code, text = draft(shop)
    assert code == 9
    assert 'A campaign named "News" exists already; nothing was created.' in text
    assert len(campaigns(shop)) == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("campaign", "x" * 81, "--subject", "S"), "NAME"),
        (("campaign", "News", "--subject", " "), "--subject"),
        (("campaign", "News", "--subject", "S\r\nBcc: pat@example.com"), "--subject"),
        (("campaign", "News", "--subject", "S", "--preheader", "x" * 201), "--preheader"),
    ],
)
def test_lines_that_cannot_go_into_a_mail_s_head(shop: InsideShop, words: tuple[str, ...], problem: str) -> None:
    """Too long, empty, or with a line break: exit 2 before anything is asked."""
    done = shop.ccsync(*words, "--html", str(shop.folder / "page.html"))
    assert done.returncode == 2
    assert problem in done.stderr
    assert campaigns(shop) == []


def test_one_page_is_wanted(shop: InsideShop) -> None:
    """Giving neither or both of --html and --text is a usage error."""
    assert shop.ccsync(*WORDS).returncode == 2
    both = ("--html", str(shop.folder / "page.html"), "--text", str(shop.folder / "news.txt"))
    assert shop.ccsync(*WORDS, *both).returncode == 2


def test_a_login_for_campaigns_stays_one(shop: InsideShop) -> None:
    """A later plain login asks for the same scope again; without --campaigns it is never requested."""
    assert shop.ccsync("login", "--cc-only", "--yes").returncode == 0
    assert draft(shop)[0] == 0
    asked = shop.requests("POST", "device/authorize")
    assert len(asked) >= 2
