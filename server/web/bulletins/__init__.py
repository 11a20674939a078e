"""Bulletins: written, approved and sent above; taken, declined and put in order in a commune."""

from server.web.bulletins.inbox_views import inbox_pages
from server.web.bulletins.views import pages

__all__ = ["inbox_pages", "pages"]
