"""Draft e-mail campaigns: the page, and the calls that make a draft. Nothing here schedules or sends one."""
