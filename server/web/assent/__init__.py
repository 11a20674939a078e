"""The rule who has to assent to an announcement: everybody reads it, the province lays it down."""

from server.web.assent.views import pages

__all__ = ["pages"]
