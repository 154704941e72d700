"""What is bundled of a campaign: all that it labelled, each frame once with its part and its round, without the tests it was given."""

import json

from ase.io import read

from mlff.active.frames import read_frames, write_frames
from scripts import bundle_frames
from tests.active.alloy import divided, frames
from tests.run.active_folder import Drawn, write_campaign


def test_of_a_campaign_all_that_it_labelled_is_bundled(tmp_path, monkeypatch):
    campaign, bundle = tmp_path / "campaign", tmp_path / "bundle"
    bundle.mkdir()
    monkeypatch.setattr(bundle_frames, "FOLDER", bundle)
    write_campaign(campaign, [Drawn("short"), Drawn("long", lost={0: "it hung"})])
    (campaign / "rounds/002").mkdir()
    write_frames(campaign / "rounds/002/labelled.extxyz", [])  # a round that chose nothing
    first = divided(frames(8))
    for frame in first[:5]:
        frame.info["reason"] = "initial"
    write_frames(campaign / "initial.extxyz", first)  # the last three were given
    bundle_frames.main("small", [campaign])

    bundled = read(bundle / "small.extxyz.gz", index=":")
    splits = json.loads((bundle / "small_splits.json").read_text())
    of_rounds = [frame for k in (0, 1) for frame in read_frames(campaign / f"rounds/{k:03d}/labelled.extxyz")]
    assert [frame.info["round"] for frame in bundled] == 5 * [-1] + 6 * [0] + 5 * [1]
    assert [frame.info["REF_energy"] for frame in bundled] == [frame.info["REF_energy"] for frame in first[:5] + of_rounds]
    parts = {k: part for part, positions in splits.items() for k in positions}
    assert [parts[k] for k in range(len(bundled))] == [frame.info["split"] for frame in first[:5] + of_rounds]
    assert {frame.info["reason"] for k, frame in enumerate(bundled) if parts[k] == "test"} == {"audit"}
    assert {frame.info["campaign"] for frame in bundled} == {"campaign"}

    other = tmp_path / "other"  # goes on from the set, as one that labelled one frame more
    new = first[5].copy()
    new.info |= {"reason": "initial", "REF_energy": first[5].info["REF_energy"]}
    new.rattle(0.1)
    other.mkdir()
    write_frames(other / "initial.extxyz", [*first[:5], new])
    bundle_frames.main("larger", [bundle / "small.extxyz.gz", other])
    larger = read(bundle / "larger.extxyz.gz", index=":")
    assert [frame.info["campaign"] for frame in larger] == len(bundled) * ["campaign"] + ["other"]
    of_larger = json.loads((bundle / "larger_splits.json").read_text())
    assert {part: [k for k in indices if k < len(bundled)] for part, indices in of_larger.items()} == splits
