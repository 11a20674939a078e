"""The server: pages and API, scheduler and gateway, meeting in one database."""
