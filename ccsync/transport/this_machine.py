"""Names what on this machine keeps a call from going out: the proxy, the CA bundle, DNS, the route, the clock."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ccsync.errors import CcsyncError, EnvironmentWrong, NoWayOut, RefusedError
from ccsync.transport.late import requests

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_NEVER_SENT = {"NewConnectionError", "NameResolutionError", "ProxyError", "ConnectTimeoutError", "ProxyConnectionError"}
"""Errors of urllib3 and PySocks for a connection that was never made. Later ones say nothing about this machine."""


def obstacle(error: BaseException, vendor: str, url: str) -> CcsyncError | None:
    """What keeps calls to `url` from going out, if `error` shows that; `None` when the vendor may be to blame.

    `EnvironmentWrong` and `RefusedError` stay until a person mends something; `NoWayOut` may pass. Nothing was sent.
    """
    import socket  # late, as `requests`: together with ssl it takes a tenth of the time of a command's start

    chain = list(_chain(error))
    host, proxy = urlsplit(url).hostname or "", _proxy(url)
    if isinstance(error, requests.exceptions.SSLError) or "CA certificate bundle" in str(error):
        return _of_bundle() or _of_certificate(vendor, host, chain)
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return EnvironmentWrong(
            f"{_named(proxy)} names a SOCKS proxy, and SOCKS support is not installed.",
            "it is an optional part of the requests library.",
            'pip install "requests[socks]" (with pipx: pipx inject ccsync pysocks), or unset the variable.',
        )
    if isinstance(error, requests.exceptions.InvalidURL) and proxy:
        return EnvironmentWrong(
            f"{_named(proxy)} is not the URL of a proxy.",
            "it must look like http://proxy.example.com:3128.",
            f"Correct or unset {_named(proxy)}; cron and systemd have variables of their own.",
        )
    if not {type(one).__name__ for one in chain} & _NEVER_SENT:
        return None
    is_proxy_s = isinstance(error, (requests.exceptions.ProxyError, requests.exceptions.ConnectTimeout))
    if proxy and (is_proxy_s or any(type(one).__module__ == "socks" for one in chain)):
        return _of_proxy(chain, host, proxy)
    if any(isinstance(one, socket.gaierror) for one in chain):
        return NoWayOut(
            f"This machine cannot look up {host} (DNS).",
            f"{_reason(chain)}.",
            f"Check its network and DNS (getent hosts {host}), and the URLs in the config.",
        )
    if any(isinstance(one, OSError) and one.errno in _NO_ROUTE for one in chain):
        return NoWayOut(
            f"This machine has no network route to {host}.", f"{_reason(chain)}.", "Check its network and firewall."
        )
    return None


def proxy_wants_login(url: str) -> CcsyncError:
    """What a 407 means: only a proxy answers it."""
    proxy = _proxy(url)
    return EnvironmentWrong(
        f"The proxy {proxy[1] if proxy else ''} wants a user name and a password.".replace("  ", " "),
        f"407 Proxy Authentication Required; {_named(proxy)} names the proxy.",
        f"Put them into {_named(proxy)}: http://USER:PASSWORD@HOST:PORT",
    )


def _of_proxy(chain: list[BaseException], host: str, proxy: tuple[str, str]) -> CcsyncError:
    refused = re.search(r"Tunnel connection failed: (\d{3})", " ".join(map(str, chain)))
    status = refused[1] if refused else ""
    if status == "407":
        return proxy_wants_login(f"https://{host}")
    if status.startswith("4"):
        return EnvironmentWrong(
            f"The proxy {proxy[1]} does not let ccsync reach {host}.",
            f"it answered {status}; {_named(proxy)} names the proxy.",
            f"Have the proxy allow {host}, or name the host in $NO_PROXY.",
        )
    return NoWayOut(
        f"The proxy {proxy[1]} cannot be reached." if not status else f"The proxy {proxy[1]} cannot reach {host}.",
        f"{f'it answered {status}' if status else _reason(chain)}; {_named(proxy)} names the proxy.",
        f"Start the proxy, or correct or unset {_named(proxy)}.",
    )


def _of_bundle() -> CcsyncError | None:
    """The variable that names a CA bundle which cannot be used, if one does."""
    import ssl

    name = next((one for one in BUNDLES if os.environ.get(one)), None)
    path = Path(os.environ[name] if name else requests.utils.DEFAULT_CA_BUNDLE_PATH)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(*((None, path) if path.is_dir() else (path, None)))
    except (OSError, ValueError) as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "") or "?"
        return EnvironmentWrong(
            f"The CA certificates in {path} cannot be used.",
            f"{why}; {f'${name} names the file' if name else 'the file came with the certifi package'}.",
            f"Correct or unset ${name}." if name else "pip install --force-reinstall certifi",
        )
    return None


def _of_certificate(vendor: str, host: str, chain: list[BaseException]) -> CcsyncError:
    import ssl

    found = next((one.verify_message for one in chain if isinstance(one, ssl.SSLCertVerificationError)), "")
    by_clock = ", by this machine's clock" if "expired" in found or "not yet valid" in found else ""
    return RefusedError(
        f"{vendor}'s certificate is not valid; nothing was sent.",
        f"{host}: {found or 'TLS verification failed'}{by_clock}.",
        "Check this machine's clock and CA certificates, and whether a proxy intercepts TLS.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was made from; urllib3 keeps some in `reason` and some in `args`."""
    seen, waiting = set[int](), [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]  # type: ignore[list-item]


def _reason(chain: list[BaseException]) -> str:
    """The system's own words."""
    return next((one.strerror for one in reversed(chain) if isinstance(one, OSError) and one.strerror), "no answer")


def _proxy(url: str) -> tuple[str, str] | None:
    """The variable that sends calls to `url` through a proxy, and the proxy without its password."""
    if requests.utils.should_bypass_proxies(url, no_proxy=None):
        return None
    for name in (f"{urlsplit(url).scheme}_proxy", "all_proxy"):
        for one in (name, name.upper()):
            if value := os.environ.get(one):
                return one, re.sub(r"[^\w.:\[\]-]", "", value.rpartition("@")[2].rpartition("//")[2])
            if one in os.environ:  # an empty variable in small letters takes back the other one
                break
    return None


def _named(proxy: tuple[str, str] | None) -> str:
    return f"${proxy[0]}" if proxy else "the system's proxy setting"
