"""Hops and rearrangements that need no sites."""
