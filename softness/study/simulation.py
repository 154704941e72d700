"""Glasses of a study, made on the spot: `run_md.py` with the study's overrides, one run for training and one for the test."""

from collections.abc import Mapping
from pathlib import Path

from mlff.run.composed import composed, quoted
from mlff.run.md import run_md


def simulated(model: str, words: Mapping, folder: Path) -> dict[str, str]:
    """The folders of the runs, "train" and "test"; a run that is there is gone on with, or taken as it is where it is complete.

    Args:
        model: a model artefact. words: overrides of run_md.py; train_seeds, test_seeds: of the structures and velocities.
    Raises:
        ValueError: a replica was stopped by a guard; the others are complete.
    """
    if shared := set(words["train_seeds"]) & set(words["test_seeds"]):
        raise ValueError(f"found seeds {sorted(shared)} in training and in test, expected other glasses in the test; set other seeds")
    runs = {}
    for side in ("train", "test"):
        place = folder / "md" / side
        seeds = ",".join(map(str, words[f"{side}_seeds"]))
        own = [f"model={quoted(model)}", f"seeds=[{seeds}]", f"name={side}", f"folder={quoted(place)}"]
        run_md(composed("md", [*words["overrides"], *own], "md"))
        runs[side] = str(place)
    return runs
