"""Whose time it is in a unit's week, and laying down more."""

from server.web.frames.views import pages

__all__ = ["pages"]
