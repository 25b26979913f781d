"""A departure is dated by Kibo's clock, which Kibo's answers may not show."""

from pathlib import Path

import pytest

from tests.jobs.polling import LEE, PAT, accepts, join, settled, small_shop

MOST_CALLS = 16


@pytest.mark.parametrize("header", ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 -1200"])
def test_a_departure_where_kibo_shows_no_date(header: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is recorded and written to the store with as few calls as ever, whatever stands in the header."""
    with small_shop(tmp_path) as shop:
        pat, _ = join(shop, PAT, LEE)
        settled(shop)
        shop.box.cc.leave_list(PAT, shop.list_id)
        monkeypatch.setattr("ccsync.sandbox.server.format_datetime", lambda *_, **__: header)
        before = len(shop.box.requests.records)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is False
        assert len(shop.box.requests.records) - before <= MOST_CALLS
