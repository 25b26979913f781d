"""Bugs in whose act it was, whose address it is, and whether there was an act at all."""

from tests.seeded_bugs.bug import SeededBug

CONTACTS = "tests/identity/test_contacts_that_move.py"
ACCOUNTS = "tests/identity/test_accounts_that_move.py"
DEPARTURES = "tests/identity/test_departures_and_returns.py"
ORDER = "tests/identity/test_order_of_jobs.py"

BUGS = (
    SeededBug(
        "a rename is not noted",
        "state/contacts.py",
        "    _note_moves(store, found)\n",
        "",
        (CONTACTS, "-k", "no_departure or renamed_twice"),
    ),
    SeededBug(
        "an unsubscribe concerns the present address alone",
        "from_constant_contact/opt_outs.py",
        "        everybody = contacts.addresses_of_contact(context.store, contact.contact_id, current)\n",
        "        everybody = [current]\n",
        (CONTACTS, "-k", "says_no"),
    ),
    SeededBug(
        "whom an import has added is not identified",
        "to_constant_contact/imports.py",
        "        self._check()\n        self._identify()\n\n",
        "        self._check()\n\n",
        (CONTACTS, "-k", "before_any_pass"),
    ),
    SeededBug(
        "an address that is not shown any more is taken for a deleted contact",
        "from_constant_contact/members.py",
        "vendor_now(context), VANISHED)",
        'vendor_now(context), "deleted")',
        (CONTACTS, "-k", "not_shown"),
    ),
    SeededBug(
        "a newer yes finds the old move in its way",
        "from_kibo/observations.py",
        "            contacts.begin_anew(store, person, at, None if lifted else said_at)\n",
        "            pass\n",
        (CONTACTS, "-k", "newer_yes"),
    ),
    SeededBug(
        "a no from the start is not remembered",
        "from_kibo/observations.py",
        "        if found != was or self._are_whole:\n",
        "        if (found.accepts_marketing or was) and (found != was or self._are_whole):\n",
        (ACCOUNTS, "-k", "twin_that_said_no"),
    ),
    SeededBug(
        "a twin's no from before outweighs a yes",
        "consent/kibo_consent.py",
        "any(one.accepts_marketing for one in found) else found[0]",
        "all(one.accepts_marketing for one in found) else found[0]",
        (ACCOUNTS, "-k", "repeats_its_no"),
    ),
    SeededBug(
        "an account that opts in is not answerable for its address",
        "state/accounts.py",
        "    note_addresses(store, [(one.account_id, one.person) for one in found if one.accepts_marketing",
        "    note_addresses(store, [(one.account_id, one.person) for one in found if one.since is None",
        (ACCOUNTS, "-k", "former_owner"),
    ),
    SeededBug(
        "the former owner's opt-out takes the new owner off",
        "consent/kibo_consent.py",
        "        return bool(accepting)\n",
        "        return False\n",
        (ACCOUNTS, "-k", "former_owner"),
    ),
    SeededBug(
        "the new owner's no is ignored",
        "from_kibo/observations.py",
        "        if owner is not None:\n",
        "        if owner is not None and email is None and False:\n",
        (ACCOUNTS, "-k", "new_owner"),
    ),
    SeededBug(
        "a business account counts as a sibling",
        "state/accounts.py",
        '"person = ? AND kind != ? ORDER BY account_id"',
        "\"person = ? AND ? != kind || '-' ORDER BY account_id\"",
        (ACCOUNTS, "-k", "business_account"),
    ),
    SeededBug(
        "a deleted account takes another source's member off",
        "from_kibo/deletions.py",
        "removals.DELETED, at, only_own=True)",
        "removals.DELETED, at)",
        (ACCOUNTS, "-k", "another_sources"),
    ),
    SeededBug(
        "a redacted account is left as it was",
        "from_kibo/observations.py",
        "                self._is_gone(customer.account_id)\n",
        "                return\n",
        (ACCOUNTS, "-k", "redacted"),
    ),
    SeededBug(
        "a placeholder in every field is an address",
        "kibo/client.py",
        'return "" if names == {address.lower()} else address',
        "return address if names else address",
        (ACCOUNTS, "-k", "redacted_person"),
    ),
    SeededBug(
        "who has to confirm first has left",
        "consent/write_back.py",
        "    return Found.WAITING if contact.permission_to_send == PENDING_CONFIRMATION else Found.DEPARTED\n",
        "    return Found.WAITING if contact.permission_to_send is None else Found.DEPARTED\n",
        (DEPARTURES, "-k", "not_confirmed or who_confirms"),
    ),
    SeededBug(
        "an import pushes who has to confirm first",
        "consent/decisions.py",
        "    if known.permission == PENDING_CONFIRMATION:\n        return Stand.WAITING\n",
        "",
        (DEPARTURES, "-k", "not_confirmed"),
    ),
    SeededBug(
        "a departure erases what was sent",
        "from_constant_contact/departures.py",
        "            contacts.note_absent(context.store, one, seen_at)\n",
        '            context.store.run("DELETE FROM sent WHERE person = ?", one)\n',
        (DEPARTURES, "-k", "leaving_again"),
    ),
    SeededBug(
        "many are concluded to have left by a short page",
        "from_constant_contact/departures.py",
        "        if is_mass and not self._is_whole():\n",
        "        if is_mass and not missing:\n",
        (DEPARTURES, "-k", "short_page"),
    ),
    SeededBug(
        "found on the list last week is found on the list",
        "consent/decisions.py",
        "known.member_of == target.list_id and known.is_fresh(target.fresh_since):",
        "known.member_of == target.list_id:",
        ("tests/consent/test_decisions.py", DEPARTURES, "-k", "stale_find or is_done_about"),
    ),
    SeededBug(
        "the age of a new account is ignored",
        "consent/kibo_consent.py",
        "    happened_at = updated_at if was_opted_in is False else created_at\n",
        "    happened_at = updated_at\n",
        (ORDER, "-k", "turns_up_late"),
    ),
    SeededBug(
        "whose act a departure was is guessed",
        "consent/write_back.py",
        "    return OWN_ACT if contact.update_source == OWN_ACT else None\n",
        "    return contact.update_source or OWN_ACT\n",
        (DEPARTURES, "-k", "whose_act"),
    ),
    SeededBug(
        "a yes lifts the departures of every list",
        "from_kibo/observations.py",
        "suppressions.lift(store, person, kind, self._context.list_id if kind == DEPARTED else None)",
        "suppressions.lift(store, person, kind)",
        (DEPARTURES, "-k", "active_list_alone"),
    ),
    SeededBug(
        "a departure that is withdrawn drops those of other lists",
        "from_constant_contact/departures.py",
        "        suppressions.lift(store, person, DEPARTED, list_id)\n",
        "        suppressions.lift(store, person, DEPARTED)\n",
        (DEPARTURES, "-k", "its_list_alone"),
    ),
    SeededBug(
        "a migration is committed half-way",
        "state/database/schema.py",
        "                connection.execute(statement)\n",
        '                connection.execute(statement)\n                connection.execute("COMMIT")\n'
        '                connection.execute("BEGIN IMMEDIATE")\n',
        ("tests/state/test_migration.py", "-k", "any_statement"),
    ),
    SeededBug(
        "reconcile has a rule of its own",
        "consent/drift.py",
        "    if one.stand in (Stand.MOVED, Stand.VANISHED):\n",
        "    if one.stand is Stand.MOVED and False:\n",
        ("tests/consent/test_one_decision.py",),
    ),
    SeededBug(
        "why has a rule of its own",
        "consent/explanation.py",
        "    if stand is Stand.GONE:\n",
        "    if stand is Stand.GONE and False:\n",
        ("tests/consent/test_one_decision.py",),
    ),
)
