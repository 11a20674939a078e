"""The server's side of the broker: its access rules, the link to it, inbox and outbox."""
