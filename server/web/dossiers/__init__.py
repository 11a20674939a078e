"""The record of an announcement: on a page, on paper, as a table."""

from server.web.dossiers.views import pages

__all__ = ["pages"]
