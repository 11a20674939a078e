"""What makes the urgent page an application that a telephone keeps."""

from server.web.phone.views import pages

__all__ = ["pages"]
