from mlff.data.subset import FrameSubset


class Watched(list):
    """A sequence that remembers what was read of it."""

    def __init__(self, *args):
        super().__init__(*args)
        self.read = []

    def __getitem__(self, k):
        self.read.append(k)
        return super().__getitem__(k)


def test_only_what_is_looked_at_is_read():
    frames = Watched("abcdef")
    part = FrameSubset(frames, [4, 1, 5])
    assert len(part) == 3
    assert frames.read == []
    assert part[1] == "b"
    assert frames.read == [1]
    assert list(part) == ["e", "b", "f"]
    assert part[1:] == ["b", "f"]
