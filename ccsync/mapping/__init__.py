"""From a Kibo customer to a Constant Contact contact: pure functions, no I/O, no clock."""
