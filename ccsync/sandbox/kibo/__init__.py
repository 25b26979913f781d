"""Kibo, simulated: its tokens, its accounts, its events."""
