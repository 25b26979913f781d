"""The person in front of the browser: signs in at the simulated vendor and allows or denies access."""

import re
from html import unescape

import requests


def visit(url: str, decision: str = "allow") -> str:
    """Walk through the pages behind `url`; where the browser is sent in the end."""
    with requests.Session() as session:
        page = session.get(url, timeout=5, allow_redirects=False)
        if page.is_redirect:
            return page.headers["Location"]
        base = url.partition("/oauth2")[0]
        page = session.post(base + "/signin", data={**_ticket(page), "username": "owner", "password": "x"}, timeout=5)
        assert "Allow Access?" in page.text, page.text
        answer = {**_ticket(page), "decision": decision}
        return session.post(base + "/allow", data=answer, timeout=5, allow_redirects=False).headers["Location"]


def _ticket(page: requests.Response) -> dict[str, str]:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return {"ticket": unescape(found[1])}
