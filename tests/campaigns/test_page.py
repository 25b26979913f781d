"""The page of a campaign: valid, with what the text said and nothing it did not, and with the tracking image once."""

import html5lib
import pytest

from ccsync.campaigns.page import TRACKING_IMAGE, page_of_text, with_tracking_image


def parsed(page: str) -> html5lib.treebuilders.base.Node:
    """The page as a browser reads it; any error in it fails the test."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "a\n\nb\n",
        "\r\n\r\nx\r\ny",
        '<script>alert(1)</script> & "quotes"',
        "Grüße, 你好 🎉",
        '[[FIRSTNAME OR "you"]]',
    ],
)
def test_a_page_of_a_text_is_valid(text: str) -> None:
    """Whatever the text holds, the page is valid HTML and its body reads as the text."""
    tree = parsed(with_tracking_image(page_of_text(text, 'News & "more"')))
    body = tree.find("body")
    assert "".join(body.itertext()).replace(TRACKING_IMAGE, "").split() == text.split()
    assert tree.find("head/title").text == 'News & "more"'
    assert tree.find(".//script") is None


def test_blank_lines_part_paragraphs_and_line_breaks_stay() -> None:
    """A paragraph is what stands between blank lines."""
    tree = parsed(page_of_text("One\ntwo\n\n \t\nThree\n", "x"))
    first, second = tree.findall("body/p")
    assert [one.tag for one in first] == ["br"]
    assert second.text == "Three"


def test_web_addresses_become_links() -> None:
    """The link ends before the sentence's own punctuation."""
    tree = parsed(page_of_text("See https://example.com/a?b=1&c=2 (or http://example.org/). ftp://no", "x"))
    links = tree.findall(".//a")
    assert [one.get("href") for one in links] == ["https://example.com/a?b=1&c=2", "http://example.org/"]
    assert [one.text for one in links] == [one.get("href") for one in links]


@pytest.mark.parametrize(
    ("page", "with_image"),
    [
        ("<html><body><p>x</p></body></html>", "<html><body>[[trackingImage]]<p>x</p></body></html>"),
        ('<body\n class="a>b">x', '<body\n class="a>b">[[trackingImage]]x'),
        ("<!-- <body> -->\n<BODY>x", "<!-- <body> -->\n<BODY>[[trackingImage]]x"),
        ("<script>'<body>'</script><body>x", "<script>'<body>'</script><body>[[trackingImage]]x"),
        ("<p>x</p>", "<p>x</p>[[trackingImage]]"),
        ("<html><p>x</p>\n</html>\n", "<html><p>x</p>\n[[trackingImage]]</html>\n"),
        ("<body>[[trackingImage]]x", "<body>[[trackingImage]]x"),
        ("a\u2028b\x85<body>x", "a\u2028b\x85<body>[[trackingImage]]x"),
    ],
)
def test_the_tracking_image_is_in_the_body_once(page: str, with_image: str) -> None:
    """It is added behind the body's tag, or at the end where there is none; a page that has it stays as it is."""
    assert with_tracking_image(page) == with_image
