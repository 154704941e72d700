"""Means over time, their errors, and sums that a stream of frames is added to."""
