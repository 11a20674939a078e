"""Values and rules of the server; no clock, no log, no database, no network."""
