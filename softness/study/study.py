"""`python scripts/fit_softness.py`: from trajectories to a plane, what it tells, and a report."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mlff.report.analysis_page import AnalysisReport, write_analysis_report
from mlff.run.analysis.measured import read_measured
from mlff.run.analysis.sources import Reading, Source, sources_of
from mlff.run.console import console
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions
from softness.study.barriers import barriers
from softness.study.conduction import conduction
from softness.study.doubts import changed_units, uncertain
from softness.study.findings import Findings, findings, rearranging
from softness.study.fits import Fit, fits
from softness.study.plane_panels import accuracy_table
from softness.study.reading import Sampled, read
from softness.study.rings import ring_description
from softness.study.sections import observed
from softness.study.simulation import simulated
from softness.study.space import by_structure, in_space
from softness.windows import Windows

log = logging.getLogger(__name__)


def study(cfg: DictConfig) -> Path:
    """Fits what `cfg.train` names, tells it on `cfg.test`; the page.

    Raises:
        ValueError: trajectories that are not there, or a guard that refuses them.
    """
    words, folder = OmegaConf.to_container(cfg, resolve=True), Path(cfg.folder)
    if cfg.simulate.overrides is not None:
        words |= simulated(_model(cfg), words["simulate"], folder)
    if words["train"] is None or words["test"] is None:
        raise ValueError("found no trajectories for one of train and test, expected both; name them, or give `simulate.overrides`")
    reading = Reading(**{name: words["reading"].get(name) for name in Reading.__dataclass_fields__})
    sides = [sources_of(words[side], reading) for side in ("train", "test")]
    measured = [] if cfg.measured is None else read_measured(cfg.measured)
    windows = Windows(**words["windows"])
    species = sorted({symbol for source in sides[0] for symbol in source.system.symbols})
    functions = RadialFunctions(neighbour_species=tuple(species), **words["functions"])
    neighbours = {name: tuple(species) if chosen is None else tuple(chosen) for name, chosen in words["neighbours"].items()}
    _check(words, sides, species, neighbours)
    train, test = (read(side, windows, functions, folder / "samples") for side in sides)
    told = {side: {each.name: _told(each) for each in of} for side, of in (("training", train), ("test", test))}
    provenance = {"trajectories": told, "windows": words["windows"], "model": cfg.model}
    found_fits = fits(train, test, functions, neighbours, words["percents"], Hyperplane(**words["plane"]), cfg.permutations, provenance)
    fit = found_fits[cfg.chosen.neighbours, cfg.chosen.percent]
    fit.softness.save(folder / "plane")
    calculator = None if cfg.model is None else _calculator(cfg.model)
    found = [findings(each, fit, calculator, cfg.centre, cfg.ligand) for each in test]
    bands = []
    if cfg.barriers.n and calculator is not None:
        settings = {name: words["barriers"][name] for name in ("spacing", "fmax", "steps")}
        bands = barriers(
            test[0].atoms(-1), fit.softness, calculator, cfg.barriers.n, settings, tuple(cfg.barriers.range), folder / "barriers.json"
        )
    _write_frames(test, found, folder)
    moved = conduction({"train": sides[0], "test": sides[1]}, folder / "transport", measured)
    whole = {"structures": by_structure(test, found), "space": in_space(test, found, cfg.ligand), "conduction": moved}
    if cfg.rings.use:
        whole["rings"] = ring_description(test, found, cfg.rings.species, cfg.rings.r_max)
    whole = {name: description for name, description in whole.items() if description is not None}
    doubts = [*fit.validation.doubts, *changed_units([*train, *test]), *uncertain(found)]
    for sentence in doubts[len(fit.validation.doubts) :]:  # the others are told with the table
        log.warning("warning: %s", sentence)
    content = AnalysisReport(
        title=f"Softness: {cfg.name}",
        summary=_summary(fit),
        observed=observed(fit, found, rearranging(found, test, cfg.rearranged), bands, whole),
        main=[("test accuracy", fit.validation.test, f"{cfg.chosen.percent:g} % at each end"), ("AUC", fit.validation.auc, "")],
        tables=[accuracy_table(found_fits)],
        warnings=[f"{doubt[0].upper()}{doubt[1:]}." for doubt in doubts],
        setup=told,
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
        kicker="Softness",
    )
    page = write_analysis_report(content, folder, words["pictures"])
    _log_to_wandb(cfg, found_fits)
    _print(found_fits)
    log.info("%s; plane/, numbers.json, csv/, figures/ and frames with softness for OVITO beside it", page)
    return page


def _check(words: dict, sides: Sequence[Sequence[Source]], species: Sequence[str], neighbours: dict[str, tuple[str, ...]]) -> None:
    """Before anything is computed. Raises: ValueError."""
    chosen = words["chosen"]
    if chosen["neighbours"] not in neighbours or chosen["percent"] not in words["percents"]:
        raise ValueError(
            f"chosen is {chosen}, expected one of neighbours ({', '.join(neighbours)}) and of percents ({words['percents']}); add it there"
        )
    if unknown := sorted({symbol for of in neighbours.values() for symbol in of} - set(species)):
        raise ValueError(f"neighbours name {', '.join(unknown)}, expected species of the trajectories: {', '.join(species)}")
    if new := sorted({symbol for source in sides[1] for symbol in source.system.symbols} - set(species)):
        raise ValueError(
            f"found {', '.join(new)} in the test alone, expected the species of training, {', '.join(species)}: the plane knows no others"
        )
    files = [{path.resolve() for source in side for path in source.paths} for side in sides]
    if shared := sorted(map(str, files[0] & files[1])):
        raise ValueError(f"found {', '.join(shared)} in training and in test, expected other trajectories; keep whole ones apart")


def _model(cfg: DictConfig) -> str:
    if cfg.model is None:
        raise ValueError("found `simulate.overrides` without a model, expected the potential of the molecular dynamics; give `model`")
    return cfg.model


def _calculator(model: str):
    from mlff.export.ase import MLFFCalculator  # here, because it brings torch

    return MLFFCalculator.load(model, dtype="float64")


def _write_frames(test: Sequence[Sampled], found: Sequence[Findings], folder: Path) -> None:
    """Structures before each window with the softness of every ion, NaN of the others; extended XYZ."""
    for each, finding in zip(test, found, strict=True):
        frames = []
        for (positions, cell), softness in zip(each.structures, finding.softness, strict=True):
            atoms = Atoms(each.system.symbols, positions, cell=cell, pbc=True)
            values = np.full(len(atoms), np.nan)
            values[each.system.ions] = softness
            atoms.arrays["softness"] = values
            frames.append(atoms)
        write(folder / f"softness_{each.name}.extxyz", frames, format="extxyz")


def _summary(fit: Fit) -> str:
    v = fit.validation
    percent = {name: 100 * getattr(v, name).value for name in ("train", "test", "control", "soft_of_mobile", "soft")}
    return (
        f"On trajectories that the plane has not seen it tells {percent['test']:.1f} ± {100 * v.test.error:.1f} % of the rows rightly "
        f"(training {percent['train']:.1f} %, permuted labels {percent['control']:.0f} %); {percent['soft_of_mobile']:.0f} % of the "
        f"mobile ions are soft, and {percent['soft']:.0f} % of all."
    )


def _told(sampled: Sampled) -> dict[str, object]:
    system = sampled.system
    return {
        "atoms": len(system.symbols),
        "mobile": f"{len(system.ions)} {system.mobile}",
        "temperature, K": "–" if sampled.temperature is None else f"{sampled.temperature:g}",
        "frames": sampled.n_frames,
        "windows": sampled.n_windows,
        "of": str(sampled.samples.structures[0]),
    }


def _print(found: dict[tuple[str, float], Fit]) -> None:
    told = accuracy_table(found)
    table = Table(*(name if not unit else f"{name}, {unit}" for name, unit in told.head), box=SIMPLE_HEAD)
    for row in told.rows:
        if row.kind != "remark":
            table.add_row(row.name, *row.cells)
    console().print(table)
    for row in told.rows:
        if row.kind == "remark":
            log.warning("warning: %s", row.name)


def _log_to_wandb(cfg: DictConfig, found: dict[tuple[str, float], Fit]) -> None:
    """One run with the accuracies of all planes."""
    if not cfg.wandb.use:
        return
    import wandb  # here, because it takes a while

    with wandb.init(project=cfg.wandb.project, name=cfg.name, mode=cfg.wandb.mode, config=OmegaConf.to_container(cfg, resolve=True)) as run:
        for (name, percent), fit in found.items():
            v = fit.validation
            run.summary.update(
                {f"{name}/{percent:g}/{k}": getattr(v, k).value for k in ("train", "test", "balanced", "auc", "soft", "control")}
            )
