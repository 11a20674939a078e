"""Make a bare board into a node: profiles of boards, and the units that run it."""
