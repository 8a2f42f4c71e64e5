"""What the harness costs, beside the peer that does the same work: `make bench`."""
