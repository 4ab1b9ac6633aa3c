"""What the Python test suites share: where things are, and the servers that tests need."""
