"""When clusters count as not answering, and what happens then."""

from server.web.escalation.views import pages

__all__ = ["pages"]
