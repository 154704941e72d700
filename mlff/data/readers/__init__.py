"""One file per format; each `read_*(path, *, energy_kind)` yields Frames. `mlff.data.read` picks among them."""
