"""What conf/active.yaml asks for, as a campaign of `mlff.active`."""

import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.active.campaign import Campaign, Label
from mlff.active.convergence import Convergence
from mlff.active.executors import Workers
from mlff.active.explore import Exploration, Explorer
from mlff.active.frames import PARTS, TEST, divided, parts, read_frames, write_frames
from mlff.active.local_cell import LocalCells
from mlff.active.rank import RANKINGS
from mlff.active.select import Hops, Selection
from mlff.active.soundness import Soundness
from mlff.active.stability import Confirm, Confirmation, confirm, pairs_of
from mlff.active.watch import Watch
from mlff.bundled import bundled_name
from mlff.md.batch import Settings
from mlff.md.guards import Bounds
from mlff.run.active.training import Training, train_elsewhere
from mlff.run.data import locate
from mlff.structure import built, structure

INITIAL = "initial.extxyz"


def campaign_of(cfg: DictConfig, label: Label, workers: Workers, core_hours: Callable[[Sequence[str]], float], watch: Watch) -> Campaign:
    """Raises:
    ValueError: what the parts of a campaign refuse, or initial frames that could not be labelled.
    """
    given = OmegaConf.to_container(cfg, resolve=True)
    schedule = [Exploration(**stage | {"structures": [_found(source) for source in stage["structures"]]}) for stage in given["schedule"]]
    explorer = explorer_of(cfg)
    selection = selection_of(given["selection"])
    training = Training(**given["training"], seed=cfg.seed)
    if cfg.selection.rank_by not in RANKINGS:
        raise ValueError(f"selection.rank_by is {cfg.selection.rank_by!r}, expected one of {', '.join(RANKINGS)}")
    return Campaign(
        folder=Path(cfg.folder).absolute(),  # a task of an executor may start elsewhere
        schedule=schedule,
        explorer=explorer,
        criterion=instantiate(cfg.criterion, _convert_="all"),
        selection=selection,
        rank_by=RANKINGS[cfg.selection.rank_by],
        convergence=Convergence(**given["convergence"]),
        initial=kept_initial_frames(cfg, label, watch),
        label=label,
        core_hours=core_hours,
        train=training if workers.gpu is None else partial(train_elsewhere, workers.gpu, training),
        gpu=workers.gpu,
        confirm=confirm_of(given, explorer, workers),
        watch=watch,
        audit=cfg.audit,
        val_every=cfg.val_every,
        seed=cfg.seed,
    )


def explorer_of(cfg: DictConfig) -> Explorer:
    explore = cfg.explore
    return Explorer(
        ensembles={name: instantiate(options) for name, options in cfg.ensembles.items()},
        settings=Settings(explore.timestep, explore.skin, explore.device, explore.dtype),
        record=explore.record,
        chunk=explore.chunk,
        bounds=Bounds(**OmegaConf.to_container(explore.guards)),
    )


def confirm_of(given: dict, explorer: Explorer, workers: Workers) -> Confirm | None:
    """Raises: ValueError: the structure is none, or has not what is to be compared."""
    if given["confirm"] is None:
        return None
    asked, mobile = Confirmation(**given["confirm"]), given["mobile"][0]
    pairs_of(asked, structure(asked.structure, asked.repeat, given["seed"]).get_chemical_symbols(), mobile)
    return partial(confirm, asked, explorer, mobile, given["seed"], workers.gpu)


def selection_of(given: dict) -> Selection:
    plain = {name: given[name] for name in ("n", "separation", "quota", "most")}
    hops = None if given["hops"] is None else Hops(**given["hops"])
    local_cells = None if given["local_cells"] is None else LocalCells(**given["local_cells"])
    return Selection(**plain, hops=hops, soundness=Soundness(**given["soundness"]), local_cells=local_cells)


def kept_initial_frames(cfg: DictConfig, label: Label, watch: Watch) -> list[Atoms]:
    """Those of the first start: a label that is there only later would shift the parts, and test frames be learnt."""
    kept = Path(cfg.folder) / INITIAL
    if not kept.exists():
        write_frames(kept, initial_frames(cfg, label, watch))
    return read_frames(kept)


def initial_frames(cfg: DictConfig, label: Label, watch: Watch) -> list[Atoms]:
    """Labelled frames, each with its `split`: those given, and those that are labelled now; test frames too.

    Where no file of test frames is given, some of the others are put aside: a training wants a test from its first round on.

    Raises:
        ValueError: a part is empty, or a frame that should be labelled is not.
    """
    test, given = _read_tests(cfg.test), _read(cfg.initial.labelled)
    if bare := sum("REF_forces" not in frame.arrays or "REF_energy" not in frame.info for frame in [*test, *given]):
        raise ValueError(
            f"initial.labelled and test: {bare} of {len(test) + len(given)} frames hold no REF_energy and REF_forces; "
            "rename their labels so, or give the frames in initial.frames to be labelled"
        )
    for frame in test:
        frame.info["split"] = TEST
    if strange := {frame.info["split"] for frame in given if "split" in frame.info} - set(PARTS):
        raise ValueError(f"initial.labelled: found frames whose split is {sorted(strange)}, expected one of {', '.join(PARTS)}")
    divided_before = [frame for frame in given if "split" in frame.info]
    others = [frame for frame in given if "split" not in frame.info]
    if to_label := unlabelled_frames(cfg):
        labelled = label(to_label)
        others += [frame for frame in labelled.frames if frame is not None]
        if labelled.reasons:
            first = next(iter(labelled.reasons.values()))
            watch.tells(f"{len(labelled.reasons)} of {len(to_label)} initial frames could not be labelled; the first: {first}")
    n_test = 0 if test or parts(divided_before)[TEST] else math.ceil(len(others) / cfg.val_every)
    frames = [*test, *divided_before, *divided(others, cfg.val_every, parts(divided_before), n_test)]
    counts = parts(frames)
    if empty := [name for name in PARTS if not counts[name]]:
        raise ValueError(
            f"of the initial frames {counts} are in each part, found none for {', '.join(empty)}; give more of them in "
            f"initial.labelled or initial.frames (every {cfg.val_every}th validates)"
        )
    return frames


def unlabelled_frames(cfg: DictConfig) -> list[Atoms]:
    """What is labelled before the first training: frames of files and of builders, `initial.most` of them, drawn, where there are more."""
    frames = _read(cfg.initial.frames)
    for builder in cfg.initial.build.values():
        frames += built(instantiate(builder, _convert_="all"), cfg.seed)
    if cfg.initial.most is not None and len(frames) > cfg.initial.most:
        rng = np.random.default_rng(cfg.seed)
        frames = [frames[k] for k in sorted(rng.choice(len(frames), cfg.initial.most, replace=False).tolist())]
    plain = []
    for frame in frames:
        copy = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
        name = Path(str(frame.info.get("structure", frame.get_chemical_formula()))).stem
        copy.info = {"structure": name, "config_type": frame.info.get("config_type", name), "reason": "initial"}
        plain.append(copy)
    return plain


def _found(source: str) -> str:
    """A name, or the whole path of a file."""
    return str(Path(source).absolute()) if Path(source).is_file() else source


def _read_tests(files: Sequence[str]) -> list[Atoms]:
    """All frames of the user's files, and of bundled sets those that their splits put aside."""
    return [frame for file in files for frame in _read([file]) if bundled_name(file) is None or frame.info["split"] == TEST]


def _read(files: Sequence[str]) -> list[Atoms]:
    """Of files and of bundled sets, whose frames get the `split` that ships with them."""
    found = []
    for file in files:
        frames = read(locate(file), index=":")
        if bundled_name(file) is not None:
            for name, positions in json.loads(locate(f"{file}_splits.json").read_text()).items():
                for k in positions:
                    frames[k].info["split"] = name
        found += frames
    return found
