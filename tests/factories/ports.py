"""Ports that nobody else on this machine is given."""

import socket


def free_port() -> int:
    """Find a port that is this process's for as long as it lives.

    It stays bound, to a socket that does not listen: who asks for this very port may have it,
    and who asks for any is given another.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    held.detach()
    return port
