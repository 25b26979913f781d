"""Bugs in what came first: somebody's return, or what was last known of them."""

from tests.seeded_bugs.bug import SeededBug

RETURNS = "tests/from_constant_contact/test_returns.py"
ORDER = "tests/identity/test_order_of_returns.py"

BUGS = (
    SeededBug(
        "a return is put in order by clocks though a look has shown the opt-in before it",
        "from_constant_contact/sightings.py",
        "            contact.created_at,\n            contact.opt_in_date,\n",
        "            contact.created_at,\n",
        (ORDER, "-k", "return_after_a_look"),
    ),
    SeededBug(
        "a return from an opt-out without a date is put in order by clocks",
        "from_constant_contact/returns.py",
        "before.since or before.opt_in_shown or",
        "before.since or",
        (ORDER, "-k", "without_a_date"),
    ),
    SeededBug(
        "while Constant Contact is down, who may be back is set to false",
        "to_kibo/write_back.py",
        "{one.person for one in unseen if returns.was_missed(self._context, one)}",
        "set()",
        (RETURNS, "-k", "may_be_back"),
    ),
    SeededBug(
        "whom a pass has missed and not looked at is set to false",
        "to_kibo/write_back.py",
        "returns.was_missed(self._context, one) and one.contact_id is not None",
        "False",
        (RETURNS, "-k", "not_looked_at"),
    ),
    SeededBug(
        "a contact that is gone is taken for one that is still unsubscribed",
        "from_constant_contact/returns.py",
        "        run_id = 0 if contact is None and is_lost(context, before) else context.run_id\n",
        "        run_id = context.run_id\n",
        (RETURNS, "-k", "before_their_contact_was_erased"),
    ),
    SeededBug(
        "a comparison has seen whom an import under way has brought",
        "from_constant_contact/departures.py",
        "        self.is_all_seen = not batches.unfinished(context.store)\n",
        "        self.is_all_seen = True\n",
        ("tests/to_kibo/test_newer_opt_in.py", "-k", "import_hangs"),
    ),
    SeededBug(
        "who has left the list before an import is given up is sent again",
        "to_constant_contact/overdue.py",
        "known.is_ours and known.sent is None and known.permission in SUBSCRIBED\n",
        "False\n",
        ("tests/jobs/test_hanging_jobs.py", "-k", "was_given_up"),
    ),
    SeededBug(
        "an unsubscribe that was undone is written because ccsync has set one since",
        "consent/write_back.py",
        "one.source == OWN and happened_at is not None",
        "False and happened_at is not None",
        ("tests/consent/test_write_back.py", "-k", "set_itself"),
    ),
    SeededBug(
        "whom staff resubscribed is opted out under the former address alone",
        "from_constant_contact/returns.py",
        "            follow(context, context.person_of(contact.email), contact)\n",
        "            pass\n",
        (RETURNS, "-k", "follows_the_contact"),
    ),
    SeededBug(
        "a contact that is shown as deleted before the comparison looks is never sent again",
        "from_constant_contact/sightings.py",
        "if one.permission == DELETED and _was_on_list(context, one.person)]",
        "if False]",
        ("tests/from_constant_contact/test_departures.py", "-k", "pass_over_new"),
    ),
    SeededBug(
        "a full pass notes nobody whom it has missed",
        "from_constant_contact/returns.py",
        "    suppressions.note_missed(context.store, context.run_id)\n",
        "",
        (RETURNS, "-k", "may_be_back"),
    ),
    SeededBug(
        "an import puts people on the list when ccsync sees that it is over",
        "from_constant_contact/activities.py",
        "(activity.created_at, activity.completed_at) if activity else (None, None)",
        "(vendor_now(context), None)",
        (ORDER, "-k", "after_an_import or import_hangs"),
    ),
    SeededBug(
        "a return that cannot be put in order is none",
        "consent/decisions.py",
        "    return Returned.NO if end_of(at) < began - LOOK_SLACK else Returned.UNKNOWN\n",
        "    return Returned.NO\n",
        (ORDER, "-k", "import_hangs"),
    ),
    SeededBug(
        "a wrong header alone tells when somebody was found on the list",
        "to_constant_contact/outgoing.py",
        "    at = clocks.contact_time(context).at\n",
        "    at = clocks.vendor_now(context)\n",
        (ORDER, "-k", "second_account"),
    ),
    SeededBug(
        "who unsubscribed again before staff deleted the contact keeps the yes from before",
        "from_constant_contact/returns.py",
        "            unsubscribes.record(context, [contact])\n",
        "            pass\n",
        ("tests/machine/test_regressions.py", "-k", "by_the_newer_act"),
    ),
    SeededBug(
        "who came back waits for an event of ccsync's own write",
        "from_kibo/echoes.py",
        "        queue.enqueue_new(context.store, [account_id], at)\n",
        "        pass\n",
        ("tests/jobs/test_either_way.py", "-k", "came_back"),
    ),
    SeededBug(
        "a departure that nobody has looked at counts as a look at the end of the import",
        "from_constant_contact/departures.py",
        "    seen_at = vendor_now(context) if contact else None\n",
        "    seen_at = vendor_now(context) if contact else known.last_seen_at if known else None\n",
        ("tests/identity/test_order_of_returns.py", "-k", "also_where_many_are_gone"),
    ),
    SeededBug(
        "many who wait for confirmation look like a mass departure",
        "from_constant_contact/departures.py",
        "            members.read_waiting(context)\n",
        "",
        ("tests/identity/test_departures_and_returns.py", "-k", "no_mass_departure"),
    ),
    SeededBug(
        "who confirms and leaves the list before the next look is put on it again",
        "consent/decisions.py",
        "    if known.permission == PENDING_CONFIRMATION and contact.permission_to_send in SUBSCRIBED:\n",
        "    if False:\n",
        ("tests/identity/test_departures_and_returns.py", "-k", "off_the_list_by_the_next_look"),
    ),
    SeededBug(
        "who has a contact that ccsync takes off for its former address has left the list",
        "from_constant_contact/sightings.py",
        "            if _is_taken_off(context, one.contact_id, person, known):\n",
        "            if False:\n",
        ("tests/identity/test_contacts_that_move.py", "--deep", "-k", "that_hangs_takes_off"),
    ),
    SeededBug(
        "a removal ends while an import still puts its contact on the list under another address",
        "to_constant_contact/list_removals/outcomes.py",
        "any(batches.holds(context.store, two) for two in people):\n",
        "batches.holds(context.store, one.person):\n",
        ("tests/identity/test_contacts_that_move.py", "--deep", "-k", "that_hangs_takes_off"),
    ),
    SeededBug(
        "who is created singly gets no tags",
        "jobs/flush_events.py",
        "            tags.wanted.note(self.context)  # before whoever is created singly, who is staged no more then\n"
        "            additions.send_changed(self.context, check)\n",
        "            additions.send_changed(self.context, check)\n            tags.wanted.note(self.context)\n",
        ("tests/to_constant_contact/tags/test_tagging.py", "-k", "created_singly"),
    ),
)
