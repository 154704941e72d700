"""Some frames of a longer sequence, read only when they are looked at."""

from collections.abc import Sequence

from mlff.data.frame import Frame


class FrameSubset(Sequence):
    """frames[indices[k]] for each k; of an on-disk store nothing is held in memory.

    Args:
        frames: a list or a store.
        indices: which, in which order.
    """

    def __init__(self, frames: Sequence[Frame], indices: Sequence[int]):
        self.frames, self.indices = frames, [int(i) for i in indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, k):
        return [self.frames[i] for i in self.indices[k]] if isinstance(k, slice) else self.frames[self.indices[k]]
