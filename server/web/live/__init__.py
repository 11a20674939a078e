"""Announcements: choose where and what, confirm, watch, stop."""

from server.web.live.microphone import pages as microphone_pages
from server.web.live.views import pages
from server.web.live.waiting import pages as waiting_pages

__all__ = ["microphone_pages", "pages", "waiting_pages"]
