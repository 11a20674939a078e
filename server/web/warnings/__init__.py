"""Prepared warnings: what they say, on which nodes they are, recordings in other languages."""

from server.web.warnings.views import pages

__all__ = ["pages"]
