"""Segments as tags: who is to have which, the tags themselves, and the bulk jobs that set them and take them off."""

from ccsync.to_constant_contact.tags import compared, tagging, wanted

__all__ = ["compared", "tagging", "wanted"]
