"""Rows and how they are kept; SQLAlchemy openly, no repositories over it."""
