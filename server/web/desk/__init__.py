"""The desk: where a year is planned."""

from server.web.desk.views import pages

__all__ = ["pages"]
