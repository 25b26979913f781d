"""How an operator approves ccsync at Constant Contact: by a code, by a browser here, or by a pasted address."""

import os
import secrets
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ccsync import oauth
from ccsync.cli import logging_setup
from ccsync.cli.clock import RealClock
from ccsync.cli.setup.callback import Callback, can_listen
from ccsync.cli.terminal import screen
from ccsync.cli.wiring import Clients
from ccsync.errors import CcsyncError, ConfigError
from ccsync.words import counted

_MOST_PASTES = 5
PRIVATE_APP = (
    "A new app at Constant Contact is private: only the user who created it can "
    "approve it, until Constant Contact's phone support opens it for others."
)


def sign_in(tools: Clients, clock: RealClock, redirect_uri: str | None, *, opens_browser: bool) -> oauth.TokenAnswer:
    """Get the operator's approval by the flow of the app; the tokens are not saved yet.

    Raises `LoginNeeded` when it is denied or nobody comes, `ConfigError` when the vendor does not take the app.
    """
    answer = (
        _by_device(tools, clock)
        if tools.app.flow == "device"
        else _by_redirect(tools, clock, redirect_uri or "", opens_browser=opens_browser)
    )
    logging_setup.protect([answer.access_token, answer.refresh_token])
    return answer


def needs_paste(flow: str, redirect_uri: str | None, *, opens_browser: bool) -> bool:
    """Will the operator have to paste an address?"""
    return flow != "device" and not (opens_browser and can_listen(redirect_uri or ""))


def _by_device(tools: Clients, clock: RealClock) -> oauth.TokenAnswer:
    grant = oauth.start_device_flow(tools.sign_in, tools.app, secrets.token_urlsafe(16))
    screen.print_line("Constant Contact: open this address in a browser, signed in as the account's owner:")
    screen.print_line(f"    {screen.clean(grant.verification_uri)}")
    screen.print_line(f"and type this code, within {counted(grant.expires_in // 60, 'minute')}:")
    screen.print_line(f"    {screen.clean(grant.user_code)}")
    if grant.verification_uri_complete:
        screen.print_line(f"(or open {screen.clean(grant.verification_uri_complete)})")
    screen.print_line(PRIVATE_APP)
    sys.stdout.flush()
    with _waiting() as show:
        return oauth.await_approval(tools.sign_in, tools.app, grant, clock, show)


@contextmanager
def _waiting() -> Iterator[Callable[[float], None]]:
    """A line on the terminal that counts down the time left for the approval."""

    def show(seconds: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\rWaiting for your approval, {screen.duration(max(seconds, 10))} left.   ")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def _by_redirect(tools: Clients, clock: RealClock, redirect_uri: str, *, opens_browser: bool) -> oauth.TokenAnswer:
    attempt = oauth.new_attempt(tools.app, redirect_uri)
    logging_setup.protect([attempt.state, attempt.verifier])
    url = oauth.authorization_url(tools.app, attempt)
    if needs_paste(tools.app.flow, redirect_uri, opens_browser=opens_browser):
        return _by_paste(tools, attempt, url)
    with Callback(attempt) as callback:
        _show_url(url)
        screen.print_line(f"Waiting for the browser to come back, {oauth.CODE_SECONDS // 60} minutes at most.")
        sys.stdout.flush()
        if _has_screen():
            webbrowser.open(url)
        code = callback.wait(clock)
        logging_setup.protect([code])
        try:
            answer = oauth.exchange_code(tools.sign_in, tools.app, attempt, code)
        except CcsyncError as error:
            callback.finish(f"{error.what} Close this page; the terminal says more.")
            raise
        callback.finish("Constant Contact approved ccsync. Close this page and go back to the terminal.")
        return answer


def _by_paste(tools: Clients, attempt: oauth.Attempt, url: str) -> oauth.TokenAnswer:
    _show_url(url)
    screen.print_line("After you approve, the browser goes to an address that it may not be able to show:")
    screen.print_line(f"    {screen.clean(attempt.redirect_uri)}?code=...")
    screen.print_line("Copy that address, the whole line, and paste it here within five minutes.")
    sys.stdout.flush()
    for _ in range(_MOST_PASTES):
        click.echo("Address: ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            raise click.Abort
        try:
            code = oauth.read_pasted(line, attempt)
        except oauth.NotTheAnswer as error:
            screen.say(f"This is not the right address: {screen.clean(error)}.")
            continue
        logging_setup.protect([code])
        return oauth.exchange_code(tools.sign_in, tools.app, attempt, code)
    raise ConfigError(
        "None of the pasted addresses belongs to this login.",
        f"the browser must end at redirect_uri, {attempt.redirect_uri}.",
        "Register exactly that address for the app in the developer portal, then: ccsync login --no-browser",
    )


def _show_url(url: str) -> None:
    screen.print_line("Constant Contact: open this address in a browser, signed in as the account's owner:")
    screen.print_line(f"    {screen.clean(url)}")
    screen.print_line(PRIVATE_APP)


def _has_screen() -> bool:
    """Would a browser open in a window? A text browser would take over the terminal."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
