"""Announcements: choose where and what, confirm, watch, stop."""

from server.web.live.views import pages

__all__ = ["pages"]
