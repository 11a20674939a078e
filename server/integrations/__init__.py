"""Systems outside, each behind a small port of its own."""
