"""Segments as tags: who should have which, the tags themselves, and the bulk jobs that set and remove them."""

from ccsync.to_constant_contact.tags import compared, segments, tagging, wanted

__all__ = ["compared", "segments", "tagging", "wanted"]
