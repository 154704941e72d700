"""One file per format that is read; each has a `SOURCE` (mlff.trajectory.sources.source). `mlff.trajectory.importing` picks."""
