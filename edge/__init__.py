"""A node: decides what its loudspeakers play, plays it, and reports what sounded."""
