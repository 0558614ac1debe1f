"""Campaigns that attack what the README promises, and count. `make guarantees` writes what they found into docs."""
