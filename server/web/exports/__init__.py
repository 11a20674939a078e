"""What is planned and what sounded, on paper and for spreadsheets."""

from server.web.exports.views import pages

__all__ = ["pages"]
