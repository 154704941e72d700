"""What is in a data set: `python scripts/inspect_data.py path=...` prints tables and draws a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlff.data import FrameStore, read_frames
from mlff.data.inspection import Inspection, inspect_frames
from mlff.data.parts import plural
from mlff.data.sniff import sniff
from mlff.units import TO_MILLI

SUFFIXES = (".extxyz", ".xyz", ".db", ".traj", ".xml", ".out")  # of data; other dots belong to the name
N_SHOWN = 12  # rows of a long list


def inspect(cfg: DictConfig) -> Inspection:
    """Read `cfg.path`, print what is in it, and draw `cfg.picture`. conf/inspect.yaml describes the settings."""
    path = Path(cfg.path)
    if str(cfg.path).startswith("bundled:"):
        from mlff.run.data import locate  # here: it loads torch, which no other path needs

        path = locate(cfg.path)
    if path.is_dir() and cfg.format in (None, "store") and sniff(path) == "store":
        frames = FrameStore(path)  # read frame by frame: it may be larger than memory
    else:
        frames = read_frames(path, format=cfg.format, energy_kind=cfg.energy_kind, allow_mixed_settings=cfg.allow_mixed_settings)
    found = inspect_frames(frames, r_max=cfg.r_max, z_max=cfg.z_max)
    print_inspection(found, str(cfg.path), cfg.r_max, Console())
    if cfg.picture:
        from mlff.report.inspection import draw_inspection

        picture = picture_name(str(cfg.path)) if cfg.picture == "auto" else cfg.picture
        print(f"picture: {draw_inspection(found, picture, title=str(cfg.path)).resolve()}")
    return found


def picture_name(data: str) -> str:
    """The picture of `data`, a path or bundled:name, in the working folder: "frames_inspection.png" of data/frames.extxyz.gz."""
    path = Path(data.removeprefix("bundled:")).resolve()  # "." has a name too
    path = path.with_suffix("") if path.suffix in (".gz", ".xz") else path
    return f"{path.stem if path.suffix in SUFFIXES else path.name}_inspection.png"


def print_inspection(found: Inspection, title: str, r_max: float, console: Console) -> None:
    """Tables of everything, then what looks wrong. Places are shown as seen from the folder `title`."""

    def short(where: str) -> str:
        return escape(where.removeprefix(f"{title.rstrip('/')}/"))

    counts = ", ".join(f"{n:,} {thing}{'' if n == 1 else 's'}" for n, thing in ((found.n_frames, "frame"), (found.n_atoms.sum(), "atom")))
    console.print(f"\n[bold]{escape(title)}[/]: {counts}, {', '.join(found.species)}")
    general = _table("frames", "value", "frames")
    for name in ("sources", "compositions", "config_types", "temperatures", "energy_kinds"):
        counts = getattr(found, name)
        for k, (value, n) in enumerate(list(counts.items())[:N_SHOWN]):
            general.add_row("" if k else name.replace("_", " "), short(value) + (" K" if name == "temperatures" else ""), f"{n:,}")
        if len(counts) > N_SHOWN:
            general.add_row("", f"and {len(counts) - N_SHOWN} more", f"{sum(list(counts.values())[N_SHOWN:]):,}")
    for k, (label, n) in enumerate(found.counts.items()):
        general.add_row("" if k else "labelled with", label, f"{n:,}")
    console.print(general)

    ranges = _table("ranges", "lowest", "median", "highest", "standard deviation", "unit")
    for name, values, unit in (
        ("atoms per frame", found.n_atoms.astype(float), ""),
        ("energy", found.energy_per_atom, "eV/atom"),
        ("energy after E0", TO_MILLI * found.energy_residual, "meV/atom"),
        ("root mean square force", found.force_rms, "eV/Å"),
        ("largest force", found.force_max, "eV/Å"),
        ("pressure", found.pressure, "GPa"),
    ):
        known = values[~np.isnan(values)]
        cells = [f"{x:.4g}" for x in (known.min(), np.median(known), known.max(), known.std())] if len(known) else ["–"] * 4
        ranges.add_row(name, *cells, unit)
    console.print(ranges)

    species = _table("species", "E0, eV", "root mean square force, eV/Å", "largest component, eV/Å", f"neighbours within {r_max:g} Å")
    shared = found.reference.shared if found.reference else ()
    for symbol in found.species:
        forces = found.forces[symbol]
        sizes = [f"{np.sqrt(np.mean(forces**2)):.3f}", f"{np.abs(forces).max():.3f}"] if len(forces) else ["–", "–"]
        e0 = f"{found.reference.energies[symbol]:.4f}" if found.reference else "–"
        if symbol in shared:
            e0 += " (shared)"
        species.add_row(symbol, e0, *sizes, f"{found.neighbours[symbol]:.1f}")
    console.print(species)
    if shared:
        console.print(
            f"(shared): the compositions fix no E0 of {', '.join(shared)}, only their sum; it is shared out per atom", soft_wrap=True
        )

    pairs = _table("shortest distance", "Å", "in")
    for (one, other), (distance, where) in found.shortest.items():
        pairs.add_row(f"{one}–{other}", f"{distance:.3f}", short(where))
    console.print(pairs)

    if found.outliers:
        outliers = _table("outlier", "what", "value", "robust standard deviations")
        outliers.title = "energy and pressure beside the frames of the same composition, largest force beside all frames"
        for outlier in found.outliers[:N_SHOWN]:
            outliers.add_row(short(outlier.where), outlier.what, outlier.value, f"{outlier.z:+.1f}")
        if len(found.outliers) > N_SHOWN:
            outliers.add_row(f"and {len(found.outliers) - N_SHOWN} more", "", "", "")
        console.print(outliers)

    console.print(f"duplicates: {plural(len(found.duplicates), 'group')}")
    console.print(f"units: {escape(found.units.message)}", soft_wrap=True)
    for warning in found.warnings:
        console.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)
    if not found.warnings:
        console.print("[green]nothing looks wrong[/]")


def _table(first: str, *columns: str) -> Table:
    table = Table(title=None, header_style="bold", title_justify="left")
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="left" if column in ("value", "in", "unit", "what") else "right", overflow="fold")
    return table
