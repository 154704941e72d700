"""The labelled frames of a campaign, in parts and in files."""

import numpy as np

from mlff.active.frames import divided, part, parts, read_frames, write_frames
from tests.active.trajectories import sound


def crystals(n: int) -> list:
    return [sound("a", step) for step in range(n)]


def splits(frames) -> str:
    return "".join(frame.info["split"][1] for frame in frames)  # r(train), a(val), e(test)


def test_every_so_manieth_validates_and_the_count_goes_on():
    assert splits(divided(crystals(9), 4, {})) == "rrrarrrar"
    first = divided(crystals(5), 4, {})
    assert splits(divided(crystals(5), 4, parts(first))) == "rrarr"


def test_test_frames_do_not_count():
    assert splits(divided(crystals(4), 4, {"test": 3})) == "rrra"


def test_test_frames_are_spread_evenly():
    frames = divided(crystals(12), 4, {}, n_test=3)
    assert [k for k, frame in enumerate(frames) if frame.info["split"] == "test"] == [2, 6, 10]
    assert parts(frames) == {"train": 7, "val": 2, "test": 3}
    for n in range(1, 40):  # rounding never makes one of two
        assert parts(divided(crystals(n), 8, {}, n_test=-(-n // 8)))["test"] == -(-n // 8)


def test_a_part():
    frames = divided(crystals(8), 4, {})
    assert part(frames, "val") == [frames[3], frames[7]]


def test_frames_come_back_as_they_were_written(tmp_path):
    frames = divided(crystals(3), 2, {})
    for frame in frames:
        frame.info |= {"reason": "last before the failure", "temperature": 600.0, "REF_energy": -1.25, "REF_stress": np.arange(6.0)}
        frame.arrays["REF_forces"] = np.round(np.random.default_rng(0).normal(size=(8, 3)), 6)
    write_frames(tmp_path / "new" / "frames.extxyz", frames)
    for frame, read in zip(frames, read_frames(tmp_path / "new" / "frames.extxyz"), strict=True):
        np.testing.assert_allclose(read.positions, frame.positions, atol=1e-8)
        np.testing.assert_array_equal(read.arrays["REF_forces"], frame.arrays["REF_forces"])
        np.testing.assert_array_equal(read.info.pop("REF_stress"), frame.info.pop("REF_stress"))
        assert read.info == frame.info
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["frames.extxyz"]


def test_no_frames_make_a_file_of_none(tmp_path):
    write_frames(tmp_path / "frames.extxyz", [])
    assert read_frames(tmp_path / "frames.extxyz") == []
