"""One stream of numbered events for open pages."""

from server.web.stream.views import pages

__all__ = ["pages"]
