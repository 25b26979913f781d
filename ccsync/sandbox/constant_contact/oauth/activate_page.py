"""The pages a person's browser sees on the auth host: approve or deny a device, and Cloudflare's refusal."""

from html import escape

from ccsync.sandbox.wire import Reply

PATH = "/activate"
_HTML = "text/html; charset=utf-8"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Constant Contact sandbox</title></head>
<body><h1>Constant Contact sandbox</h1>{}</body></html>
"""
_FORM = """<form method="post" action="{path}">
<p><label>Code <input name="user_code" value="{code}" autocomplete="off"></label></p>
<p>Allow this device to use your account?</p>
<button name="decision" value="approve">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>"""


def ask(user_code: str) -> Reply:
    """The page with the two buttons."""
    return page(200, _FORM.format(path=PATH, code=escape(user_code, quote=True)))


def done(status: int, text: str) -> Reply:
    """The page after a button."""
    return page(status, f"<p>{escape(text)}</p>")


def cloudflare() -> Reply:
    """The answer of the proxy before the auth host to Python's default User-Agent."""
    text = "<html><head><title>Access denied | Cloudflare</title></head><body>error code: 1010</body></html>"
    return Reply(403, text.encode(), _HTML)


def page(status: int, content: str) -> Reply:
    """A page with this content, HTML already."""
    return Reply(status, _PAGE.format(content).encode(), _HTML)
