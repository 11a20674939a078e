"""The program that takes microphones: from a browser's connection to frames for the nodes."""
