"""Everything that prepares sound on the server: from an upload to the file that nodes cache."""
