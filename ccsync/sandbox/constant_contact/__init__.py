"""Constant Contact, simulated: its contacts, its bulk jobs, its sign-in."""
