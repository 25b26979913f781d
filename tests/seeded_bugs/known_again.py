"""Bugs in knowing rows again: of whom it is said too early that nothing is to be done."""

from tests.seeded_bugs.bug import SeededBug

KNOWN = "tests/from_kibo/test_known_rows.py"

BUGS = (
    SeededBug(
        "who unsubscribed is known again",
        "state/views/known_rows.py",
        " AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = sent.person)",
        "",
        (KNOWN,),
    ),
    SeededBug(
        "what is not known of a contact passes for well",
        "state/views/known_rows.py",
        " IS NOT TRUE)",
        " IS FALSE)",
        (KNOWN,),
    ),
    SeededBug(
        "a younger account with something to send is not looked at",
        "state/views/known_rows.py",
        "own.person = staged.person AND",
        "own.account_id = staged.account_id AND",
        (KNOWN,),
    ),
    SeededBug(
        "a row vouches for what was never sent",
        "from_kibo/known_rows.py",
        "content + person + fingerprint",
        "content + person",
        (KNOWN,),
    ),
    SeededBug(
        "another mapping maps nobody again",
        "from_kibo/known_rows.py",
        "[__version__, *context.config.mapping.items()]",
        "[__version__]",
        (KNOWN,),
    ),
    SeededBug(
        "tags are not read from a row that is known again",
        "from_kibo/known_rows.py",
        "bool(context.config.tags)",
        "False",
        (KNOWN,),
    ),
    SeededBug(
        "a no and its hash are both remembered",
        "state/accounts.py",
        ", row_hash = NULL",
        "",
        (KNOWN,),
    ),
    SeededBug(
        "a text that is no UTF-8 passes unread",
        "decoding.py",
        "isinstance(page, dict) and _is_utf8(text)",
        "isinstance(page, dict)",
        ("tests/test_decoding.py",),
    ),
    SeededBug(
        "an item that is nested deeply cannot be read from a deep stack",
        "decoding.py",
        "except RecursionError:  #",
        "except ZeroDivisionError:  #",
        ("tests/test_decoding.py",),
    ),
    SeededBug(
        "everybody is decided on in one transaction",
        "to_constant_contact/batches.py",
        "            part = list(islice(contacts, _FROZEN_AT_ONCE))\n"
        "            if not part:\n"
        "                break\n"
        "            with context.store.transaction():\n",
        "            with context.store.transaction():\n"
        "                part = list(islice(contacts, _FROZEN_AT_ONCE))\n"
        "            if not part:\n"
        "                break\n"
        "            with context.store.transaction():\n",
        ("tests/to_constant_contact/test_batches.py", "-k", "keeps_nobody_waiting"),
    ),
    SeededBug(
        "a contact made elsewhere in the moment of our create is ours",
        "to_constant_contact/welcome.py",
        "            batches.note_unsent(context.store, person)\n",
        "            pass\n",
        ("tests/to_constant_contact/test_welcome.py", "-k", "same_moment"),
    ),
    SeededBug(
        "ccsync's own contact is another source's under its new address",
        "state/contacts.py",
        "?7 OR EXISTS (SELECT 1 FROM contacts WHERE contact_id = ?2 AND is_ours)",
        "?7",
        ("tests/identity/test_contacts_that_move.py", "-k", "both_sides"),
    ),
)
