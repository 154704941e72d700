"""One file per format; each `write(path, trajectory, chunks, wrap)` writes what `chunks` yields. `mlff.trajectory.convert` picks."""
