"""What pages and API share: the request's database, person and language, and what errors become."""
