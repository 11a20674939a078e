"""From a bare board to a node: how each kind is wired, and how its program is started."""
