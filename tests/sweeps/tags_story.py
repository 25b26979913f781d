"""The sweeps' story of tags: a flush after segments have changed, with an opt-out and an unsubscribe beside it."""

from tests.harness import Shop
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story
from tests.to_constant_contact.tags.tagging import TAGS, in_segments, tags_of

GAINS, LOSES, COMES, OPTS_OUT = (f"{name}@example.com" for name in ("gains", "loses", "comes", "opts.out"))
VIP, NORTH = "VIP customers", "The north"


def prepare_tags(shop: Shop) -> None:
    """Everybody is exported with their tags; then segments change, and somebody says no."""
    kibo = shop.box.kibo
    for address in (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT, GAINS, LOSES, OPTS_OUT):
        kibo.add_account(emailAddress=address, acceptsMarketing=True, segments=in_segments("VIP"))
    kibo.add_account(emailAddress=LATE_OPT_IN, acceptsMarketing=False, segments=in_segments("VIP"))
    shop.export()
    shop.flush()
    shop.later(minutes=30)
    for address, codes in ((GAINS, ("VIP", "NORTH")), (LOSES, ()), (OPTS_OUT, ("NORTH",))):
        for account_id in kibo.find_by_email(address):
            kibo.update_account(account_id, segments=in_segments(*codes))
    for account_id in kibo.find_by_email(OPTS_OUT):
        kibo.opt_out(account_id)
    kibo.add_account(emailAddress=COMES, firstName="New", acceptsMarketing=True, segments=in_segments("NORTH"))


def check_tags(shop: Shop) -> None:
    """Whatever happened on the way, a later run leaves everybody with the tags of their segments, and nobody else."""
    for _ in range(2):
        shop.later(hours=13)
        shop.flush()
    assert tags_of(shop, GAINS) == {VIP, NORTH}
    assert tags_of(shop, LOSES) == set()
    assert tags_of(shop, COMES) == {NORTH}
    members = shop.members()
    assert {GAINS, LOSES, COMES} <= members, "somebody who consents is missing"
    assert OPTS_OUT not in members
    assert NORTH not in tags_of(shop, OPTS_OUT), "somebody who said no was tagged"
    assert not shop.box.cc.forbidden_calls


TAGGING = Story(
    "tags",
    prepare_tags,
    lambda shop: shop.flush(),
    check_tags,
    customers=0,
    words=("flush-events",),
    config=TAGS,
)
