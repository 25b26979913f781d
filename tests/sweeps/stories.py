"""Every job's story: a later job plugs in by one more."""

from tests.sweeps.flush_story import FLUSH
from tests.sweeps.forget_story import FORGET
from tests.sweeps.poll_story import POLL
from tests.sweeps.reconcile_story import RECONCILE
from tests.sweeps.story import EXPORT
from tests.sweeps.tags_story import TAGGING

STORIES = (EXPORT, FLUSH, POLL, FORGET, RECONCILE, TAGGING)
