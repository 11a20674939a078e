"""Silence by order: hush, watch, lift by two."""

from server.web.hushes.views import pages

__all__ = ["pages"]
