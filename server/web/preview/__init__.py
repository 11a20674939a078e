"""Listening beforehand to what a cluster will sound."""

from server.web.preview.views import pages

__all__ = ["pages"]
