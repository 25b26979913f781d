"""E-mail addresses: what is taken, what is refused and why, and when two are one person's."""

import time

import pytest

from ccsync.mapping.addresses import check_address, person_key_text

LABEL = "a" * 60
FITS_80 = f"{'p' * 64}@{'d' * 11}.com"


@pytest.mark.parametrize(
    "address",
    [
        "pat@example.com",
        "Pat.O'Neil+shop@Mail.Example.CO.UK",
        "  pat@example.com\r\n",
        "postmaster@example.com",
        "a@b.co",
        "1@2.3.com",
        "pat@example.XN--P1AI",
        "pat@local.example.com",
        "!#$%&'*+/=?^_`{|}~-@example.com",
        "pat@xn--bcher-kva.example",
        f"pat@{LABEL}.com",
        f"{'p' * 39}@example.com",
        FITS_80,
    ],
)
def test_ordinary_and_odd_but_valid_addresses_are_taken(address: str) -> None:
    """Plus tags, apostrophes, role addresses, upper case and 51-80 characters are all fine."""
    assert check_address(address) is None


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("pat", "no @"),
        ("pat@@example.com", "more than one @"),
        ("pat@example.com,sam@example.com", "more than one @"),
        ("pat@example.com, sam@example.com", "blank"),
        ("pat doe@example.com", "blank"),
        ("pat\u00a0doe@example.com", "blank"),
        ('"pat doe"@example.com', "blank"),
        ('"pat@home"@example.com', "quoted"),
        ("pat,doe@example.com", "comma, bracket"),
        ("Pat<pat@example.com>", "comma, bracket"),
        ("pat@[192.0.2.1]", "comma, bracket"),
        ("pat@exam_ple.com", "comma, bracket"),
        ("@example.com", "before the @"),
        ("pat@", "after the @"),
        (".pat@example.com", "dot"),
        ("pat.@example.com", "dot"),
        ("pat..doe@example.com", "dot"),
        (f"{'p' * 65}@example.com", "64"),
        ("pat@example", "without a dot"),
        ("pat@example.com.", "ends with a dot"),
        ("pat@.example.com", "misplaced dot"),
        ("pat@example..com", "misplaced dot"),
        ("pat@-example.com", "hyphen"),
        ("pat@example-.com", "hyphen"),
        (f"p@{'a' * 64}.com", "too long"),
        ("pat@example.123", "ends in a number"),
        ("pat@example.c", "does not end like one"),
        ("pat@example.c0m", "does not end like one"),
        ("pat@example.com1", "does not end like one"),
        ("pat@example.xn--", "starts or ends with a hyphen"),
        ("pat@shop.local", "takes no mail"),
        ("guest@example.INVALID", "takes no mail"),
        ("pät@example.com", "outside ASCII"),
        ("pat@bücher.example", "xn--"),
        ("pat@еxample.com", "xn--"),
        ("pa\x00t@example.com", "control"),
        ("pat@example.com\x00", "control"),
        ("pat\r\nBcc:sam@example.com", "control"),
        ("pa\ud800t@example.com", "control"),
        ("pat\u202e@example.com", "control"),
        ("\u200bpat@example.com", "control"),
        ("\x1b[2Jpat@example.com", "control"),
    ],
)
def test_a_bad_address_is_refused_with_what_would_mend_it(address: str, says: str) -> None:
    """Each refusal names the field and the fault in one sentence, without the address."""
    rejection = check_address(address)
    assert rejection is not None
    assert (rejection.code, rejection.field) == ("bad-address", "emailAddress")
    assert says in rejection.reason
    assert rejection.reason.startswith("emailAddress ")
    assert rejection.reason.endswith(".")
    assert "pat" not in rejection.reason.lower()
    assert rejection.reason.isprintable()


@pytest.mark.parametrize("address", [None, "", "  ", "\r\n\t", 17, ["pat@example.com"]])
def test_an_account_without_an_address_is_told_apart(address: str | None) -> None:
    """Nothing, blanks, or something that is no text is `no-address`."""
    rejection = check_address(address)
    assert rejection is not None
    assert rejection.code == "no-address"


@pytest.mark.parametrize("address", [FITS_80.replace("@", "@d"), f"{'p' * 78}@example.com", "p" * 1000])
def test_an_address_of_more_than_80_characters_is_refused_never_cut(address: str) -> None:
    """81 characters and more are `long-address`; the reason has both numbers."""
    rejection = check_address(address)
    assert rejection is not None
    assert rejection.code == "long-address"
    assert str(len(address)) in rejection.reason
    assert "80" in rejection.reason


def test_a_hostile_address_costs_no_time() -> None:
    """No text, however long or repetitive, keeps the pattern busy."""
    started = time.perf_counter()
    for address in ("a." * 500_000 + "@", "a@" + "a-" * 150, "a@" + "1." * 150 + "-", "a" * 10_000_000):
        assert check_address(address) is not None
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pat@Example.COM", "pat@example.com"),
        (" pat@example.com\r\n", "pat@example.com"),
        ("Pe\u0301ter@example.com", "p\u00e9ter@example.com"),
        ("PÉTER@example.com", "péter@example.com"),
    ],
)
def test_case_blanks_and_composition_do_not_make_two_persons(one: str, other: str) -> None:
    """Equal keys for one person, and a key of a key is itself."""
    assert person_key_text(one) == person_key_text(other)
    assert person_key_text(person_key_text(one)) == person_key_text(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pat@example.com", "pat+shop@example.com"),
        ("pat.doe@example.com", "patdoe@example.com"),
        ("groß@example.com", "gross@example.com"),
        ("pa\ud800@example.com", "pa\ud801@example.com"),
    ],
)
def test_different_mailboxes_stay_different(one: str, other: str) -> None:
    """Tags, dots and sharp s are part of an address."""
    assert person_key_text(one) != person_key_text(other)


def test_a_key_can_always_be_stored() -> None:
    """A lone surrogate, which no UTF-8 can carry, comes out escaped."""
    assert person_key_text("Pä\ud800@example.com").encode()
