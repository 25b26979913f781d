"""Campaigns and automations: what mails the lists."""
