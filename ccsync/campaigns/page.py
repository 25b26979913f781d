"""The HTML of a campaign: a plain page made from text, and the image that tracks opens. Pure."""

import html
import re
from html.parser import HTMLParser

TRACKING_IMAGE = "[[trackingImage]]"
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")
_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin: 0 auto; max-width: 40em; padding: 1em; font-family: sans-serif; line-height: 1.5">
{paragraphs}
</body>
</html>
"""


def page_of_text(text: str, title: str) -> str:
    """A valid page: blank lines part paragraphs, line breaks stay, web addresses become links."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    paragraphs = (one.strip("\n") for one in re.split(r"\n(?:[ \t]*\n)+", lines))
    body = "\n".join(f"<p>{_inline(one)}</p>" for one in paragraphs if one.strip())
    return _PAGE.format(title=html.escape(title), paragraphs=body)


def _inline(paragraph: str) -> str:
    begin, pieces = 0, list[str]()
    for link in _LINK.finditer(paragraph):
        url = html.escape(link[0])
        pieces += [html.escape(paragraph[begin : link.start()]), f'<a href="{url}">{url}</a>']
        begin = link.end()
    pieces.append(html.escape(paragraph[begin:]))
    return "".join(pieces).replace("\n", "<br>\n")


def with_tracking_image(page: str) -> str:
    """The page with the tracking image in its body, where it has none yet.

    Without it Constant Contact counts no opens (`html_content` of
    https://developer.constantcontact.com/api_reference/index.html).
    """
    if TRACKING_IMAGE in page:
        return page
    found = _Body(page)
    at = found.begins_at if found.begins_at is not None else found.ends_at
    return page[:at] + TRACKING_IMAGE + page[at:]


class _Body(HTMLParser):
    """Finds where the body begins, ignoring tags in comments and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._lines = [0, *(one.end() for one in re.finditer("\n", page))]
        self.begins_at: int | None = None
        self.ends_at = len(page)
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The first body begins after its tag."""
        if tag == "body" and self.begins_at is None:
            self.begins_at = self._at() + len(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """Without a body tag, everything up to here is the body."""
        if tag == "html":
            self.ends_at = self._at()

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
