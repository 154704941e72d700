import numpy as np
import pytest

from mlff.analysis.statistics.count_blocks import CountBlocks
from mlff.analysis.statistics.counts_in_time import MOST, CountsInTime


@pytest.mark.parametrize("sizes", [[1500], [1, 499, 3, 997]])
def test_intervals_hold_all_frames_however_they_come(sizes, rng):
    counts = rng.integers(0, 9, size=(1500, 3))
    found = CountsInTime(3)
    for part in np.split(counts, np.cumsum(sizes)[:-1]):
        found.add(part)
    assert int(found.length) == 4
    assert len(found.sums) == 375 <= MOST
    np.testing.assert_array_equal(found.sums, counts.reshape(375, 4, 3).sum(1))
    assert (found.frames == 4).all()


def test_runs_of_other_lengths_are_added_time_by_time(rng):
    short, long = rng.integers(0, 9, size=(100, 2)), rng.integers(0, 9, size=(1025, 2))
    one, other = CountsInTime(2), CountsInTime(2)
    one.add(short)
    other.add(long)
    one.merge(other)
    assert int(one.length) == 4
    np.testing.assert_array_equal(one.sums[:25], (short + long[:100]).reshape(25, 4, 2).sum(1))
    assert one.frames.tolist() == [8] * 25 + [4] * 231 + [1]


def test_blocks_of_counts_are_equal_and_lose_nothing(rng):
    """Between 8 and 15 of them from 8 frames on; and the rests of merged runs still count."""
    counts = rng.integers(0, 9, size=(1000, 4)).astype(np.uint32)
    blocks = CountBlocks(4)
    for k, frame in enumerate(counts):
        blocks.open += frame
        blocks.counted(1)
        if k >= 7:
            assert 8 <= len(blocks.full) <= 15
    assert blocks.length == 64
    np.testing.assert_array_equal(np.stack(blocks.full), counts[:960].reshape(15, 64, 4).sum(1))
    np.testing.assert_array_equal(blocks.total(), counts.sum(0))
    other = CountBlocks(4)
    for frame in counts[:100]:
        other.open += frame
        other.counted(1)
    for one, two in ((blocks, other), (other, blocks)):
        joined = CountBlocks(4)
        joined.load(one.state())
        joined.merge(two)
        assert joined.n == 1100
        np.testing.assert_array_equal(joined.total(), counts.sum(0) + counts[:100].sum(0))
        assert joined.waiting < joined.length
