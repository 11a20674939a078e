"""``loa demo``: a small province on one machine, to look at or to judge by its recordings."""
