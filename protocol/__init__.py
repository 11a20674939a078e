"""What server and node must agree on; imports nothing of ours but itself."""
