"""Use cases: each public function is one transaction, opened and committed by its caller."""
