"""True force error against the number of labels: frames that active learning chose, frames at random, and a one-shot sample of short runs.

    python scripts/benchmarks/active_learning.py runs/active/al_quickstart --numbers 60 120 240 --plot

All three sets are labelled by the campaign's own reference code and learnt by the campaign's own training, as one potential, for the same
number of steps. They are tested on frames of runs that none of them holds. Labels and models stay in <campaign>/benchmark: a second call
goes on. The last lines tell how many labels active learning needs for what the others reach with all of theirs.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms
from hydra.utils import instantiate
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from mlff.active.errors import ALL, force_errors
from mlff.active.explore import Exploration
from mlff.active.frames import TEST, divided, part, read_frames, write_frames
from mlff.active.label import label
from mlff.active.ledger import Ledger
from mlff.artefact import load
from mlff.data import Frame
from mlff.data.dataset import FrameDataset
from mlff.md.watch import Silent
from mlff.run.active.campaign import INITIAL, explorer_of
from mlff.run.active.training import Training
from mlff.run.predict import predict
from mlff.run.threads import set_threads
from mlff.units import TO_MILLI

CHOSEN, RANDOM, ONE_SHOT = "active learning", "random", "one shot"
TEST_SEED, SAMPLE_SEED, SHOT_SEED = 901, 902, 903  # of runs; rounds of a campaign have small numbers


def main(campaign: Path, numbers: list[int], steps: int, plot: Path | None = None) -> None:
    cfg = OmegaConf.load(campaign / "config.yaml")
    set_threads(cfg.threads)
    place = campaign / "benchmark"
    oracle, ledger = instantiate(cfg.oracle, _convert_="all"), Ledger(campaign / "labels")
    with instantiate(cfg.executor, _convert_="all") as workers:

        def labelled(frames: list[Atoms]) -> list[Atoms]:
            return [frame for frame in label(frames, oracle, ledger, workers, progress=True).frames if frame is not None]

        stage = Exploration(**OmegaConf.to_container(cfg.schedule[-1], resolve=True))
        runs = explored(cfg, campaign, stage, place)
        rng = np.random.default_rng(0)
        test = labelled(spread([frame for run in runs[TEST_SEED] for frame in run], 100, rng))
        most = max(numbers)
        every = [frame for run in runs[SAMPLE_SEED] for frame in run]
        start = [frame for frame in read_frames(campaign / INITIAL) if frame.info["split"] != TEST]
        sets = {
            CHOSEN: [*start, *(frame for k in rounds(campaign) for frame in part_learnt(campaign, k))],
            RANDOM: labelled(spread(every, most, rng)),
            ONE_SHOT: labelled(one_shot(runs[SHOT_SEED], most)),
        }
    rows = [
        (name, n, *error(cfg, place, name, frames[:n], test, steps)) for n in numbers for name, frames in sets.items() if len(frames) >= n
    ]
    table = Table("frames", "labels", "force MAE, meV/Å", "force RMSE, meV/Å", title=f"{len(test)} test frames, {steps} steps of training")
    for name, n, mae, rmse in rows:
        table.add_row(name, str(n), f"{mae * TO_MILLI:.1f}", f"{rmse * TO_MILLI:.1f}")
    Console(width=100).print(table)
    (place / "results.json").write_text(json.dumps([dict(zip(("set", "n", "mae", "rmse"), row, strict=True)) for row in rows], indent=1))
    curves = {name: [(n, TO_MILLI * rmse) for own, n, _, rmse in rows if own == name] for name in sets}
    for name in (RANDOM, ONE_SHOT):
        print(saving(curves[CHOSEN], curves[name], name))
    if plot is not None:
        sys.path.insert(0, str(Path(__file__).parents[2]))
        from scripts.benchmarks.picture import learning_picture

        learning_picture(curves, plot, title=f"{campaign.name}: {len(test)} frames of unused runs")


def saving(chosen: Sequence[tuple[int, float]], other: Sequence[tuple[int, float]], name: str) -> str:
    """How many labels the chosen set needs for the last error of the other one.

    chosen, other: (labels, error), in the order of the labels; between two of them the error follows a power of the number.
    """
    (n, error), (first, largest), (last, smallest) = other[-1], chosen[0], chosen[-1]
    what = f"{error:.1f} meV/Å rms, which {name} reaches with {n} labels"
    if largest <= error:
        return f"{what}: active learning has less with its first {first}"
    if smallest > error:
        return f"{what}: active learning does not reach it with {last}, but {smallest:.1f}"
    for (a, above), (b, below) in pairwise(chosen):
        if below <= error:
            needed = a * (b / a) ** (math.log(above / error) / math.log(above / below))
            return f"{what}: active learning needs {needed:.0f} ({needed / n:.0%})"
    raise AssertionError("the last error is below, and the first one above")


def explored(cfg, campaign: Path, stage: Exploration, place: Path) -> dict[int, list[list[Atoms]]]:
    """Frames of runs of the last stage, driven by the campaign's final committee, without a stop; by seed, run by run."""
    potential, explorer = load(campaign / "model").potential, explorer_of(cfg)
    found = {}
    for seed in (TEST_SEED, SAMPLE_SEED, SHOT_SEED):
        folder = place / f"runs_{seed}"
        found[seed] = [list(one.frames) for one in explorer.explore(stage, potential, None, seed, cfg.seed, folder, Silent())]
    return found


def spread(frames: list[Atoms], n: int, rng: np.random.Generator) -> list[Atoms]:
    """At most n of them, any order, each as likely as any other."""
    return [frames[k] for k in rng.permutation(len(frames))[:n]]


def one_shot(runs: list[list[Atoms]], n: int) -> list[Atoms]:
    """The first frames of one run per condition, one after the other, as somebody who has a reference code and no model would have them."""
    firsts = {str(run[0].info["temperature"]): run for run in runs}
    each = math.ceil(n / len(firsts))
    return [run[k] for k in range(each) for run in firsts.values() if k < len(run)]


def rounds(campaign: Path) -> list[int]:
    return sorted(int(path.parent.name) for path in campaign.glob("rounds/*/labelled.extxyz"))


def part_learnt(campaign: Path, number: int) -> list[Atoms]:
    return [frame for frame in read_frames(campaign / f"rounds/{number:03d}/labelled.extxyz") if frame.info["split"] != TEST]


def error(cfg, place: Path, name: str, frames: list[Atoms], test: list[Atoms], steps: int) -> tuple[float, float]:
    """MAE and RMSE of forces, eV/Å, of a potential that learns these frames in so many steps."""
    folder = place / f"{name.replace(' ', '_')}_{len(frames)}"
    learnt = divided([frame.copy() for frame in frames], cfg.val_every, {})
    tested = [frame.copy() for frame in test]
    for frame in tested:
        frame.info["split"] = TEST
    write_frames(folder / "data.extxyz", learnt + tested)
    per_epoch = math.ceil(len(part(learnt, "train")) / 4)
    own = [f"trainer.max_epochs={math.ceil(steps / per_epoch)}", "trainer.max_frames=4", "uncertainty=single", "uncertainty.n_members=1"]
    Training([*cfg.training.overrides, *own], [], [], cfg.seed)(folder / "data.extxyz", folder / "training", None)
    potential = load(folder / "training" / "model").potential
    plain = [Frame.from_atoms(frame) for frame in tested]
    predictions = predict(potential, FrameDataset(plain, potential.species, potential.r_max))
    errors = force_errors(tested, [one.forces for one in predictions])[ALL]
    return errors["mae"], errors["rmse"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaign", type=Path, help="folder of a campaign that has ended")
    parser.add_argument("--numbers", type=int, nargs="+", default=[60, 120, 240], metavar="N", help="of labels")
    parser.add_argument("--steps", type=int, default=3000, help="of training at every point: what differs is the data, not the time")
    parser.add_argument("--plot", nargs="?", type=Path, const=Path("active_learning.png"), help="PNG: force error against labels")
    arguments = parser.parse_args()
    main(arguments.campaign, sorted(arguments.numbers), arguments.steps, arguments.plot)
