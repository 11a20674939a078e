"""The version of the contract, and what a mismatch means.

The number stands in the topic root. It is raised when an old receiver would do the wrong thing
with a new message; fields that an old receiver may ignore do not raise it. A server speaks the
last two versions; a node speaks one and is updated before the older one is dropped.
"""

PROTOCOL_VERSION = 1
