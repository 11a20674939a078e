"""Planned against aired: a unit's day, one claim of it, one cluster's day."""

from server.web.aired.views import pages

__all__ = ["pages"]
