"""People to be told when clusters do not answer, and their channels."""

from server.web.contacts.views import pages

__all__ = ["pages"]
