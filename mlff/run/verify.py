"""`python scripts/verify.py model=…`: every engine beside the model's golden frames, on this machine."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from mlff.artefact import read_golden
from mlff.artefact.locate import locate_model
from mlff.export.engine import Engine
from mlff.export.verify import Verification, verify
from mlff.run.command import CONF
from mlff.run.console import console
from mlff.run.threads import set_threads

log = logging.getLogger(__name__)

FOLDER = CONF / "export" / "engine"


def verify_engines(cfg: DictConfig) -> list[tuple[str, str, Verification | str]]:
    """Print what each engine is off by, and why others do not run here; rows (engine, dtype, either of the two).

    Raises:
        ValueError: an engine is off by more than rounding explains, or none runs here.
    """
    set_threads(cfg.threads)
    artefact = locate_model(cfg.model)
    golden = read_golden(artefact)
    if not golden:
        raise ValueError(f"{artefact} has no golden frames, so there is nothing to compare with; train it again, or export another model")
    rows, chosen = [], listed(cfg.engines)
    with tempfile.TemporaryDirectory() as scratch:
        for name, engine, dtype in engines(chosen, cfg.device, listed(cfg.dtypes)):
            if reason := _reason(name, engine, chosen):
                rows.append((name, dtype, reason))
                continue
            log.info("%s in %s: %d frames and %d steps", name, dtype, len(golden), cfg.n_steps)
            rows.append((name, dtype, verify(name, engine, artefact, golden, Path(scratch) / f"{name}-{dtype}", cfg.n_steps)))
    _print(rows, cfg.device)
    _refuse(rows)
    return rows


def _reason(name: str, engine: Engine | str, chosen: Sequence[str] | None) -> str | None:
    """Why an engine does not run, with the remedy."""
    if isinstance(engine, str):
        return f"{name} cannot run here: {engine}"
    if missing := engine.missing():
        return f"{name} cannot run here: {missing}"
    if engine.takes_minutes and chosen is None:
        return f"{name} was left out, because it takes minutes to compile; ask for it with engines=[{name}]"
    return None


def listed(given: str | Sequence[str] | None) -> Sequence[str] | None:
    """One name counts as a list of it."""
    return [given] if isinstance(given, str) else given


def names() -> list[str]:
    """Every engine of conf/export/engine."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def engines(chosen: Sequence[str] | None, device: str, dtypes: Sequence[str]) -> Iterator[tuple[str, Engine | str, str]]:
    """Name, engine and dtype of each chosen one; in place of an engine that refuses the device or dtype, its words.

    Args:
        chosen: None for every one.
    Raises:
        ValueError: there is no engine of that name.
    """
    for name in names() if chosen is None else chosen:
        if name not in names():
            raise ValueError(f"there is no engine {name!r}, expected some of {', '.join(names())}; correct `engines`")
        for dtype in dtypes:
            settings = OmegaConf.merge(OmegaConf.load(FOLDER / f"{name}.yaml"), {"device": device, "dtype": dtype})
            try:
                yield name, instantiate(settings), dtype
            except InstantiationException as error:
                yield name, str(error.__cause__ or error), dtype


def _print(rows: Sequence[tuple[str, str, Verification | str]], device: str) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("engine", "device", "dtype"):
        table.add_column(column, no_wrap=True)
    for column in ("energy,\nmeV/atom", "forces,\nmeV/Å", "stress,\nmeV/Å³", "drift,\nmeV/atom/ps"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    absent: dict[str, list[str]] = {}
    for name, dtype, found in rows:
        if isinstance(found, str):
            absent.setdefault(found, []).append(dtype)
            continue
        cells = [f"{1e3 * value:.1e}" for value in (found.energy, found.forces, found.stress)]
        table.add_row(name, device, dtype, *cells, f"{1e3 * found.drift:+.2f}", "differs" if found.problems else "agrees")
    place = console()
    if table.row_count:
        place.print("largest deviations from the golden frames, and the drift of the total energy", table, sep="\n")
    for sentence, dtypes in absent.items():
        place.print(f"{escape(sentence)} ({', '.join(dtypes)})", soft_wrap=True)


def _refuse(rows: Sequence[tuple[str, str, Verification | str]]) -> None:
    ran = [(dtype, found) for _, dtype, found in rows if isinstance(found, Verification)]
    if not ran:
        raise ValueError("none of these engines runs here, so that nothing was verified; the reasons above name the remedies")
    problems = [f"in {dtype}, {problem}" for dtype, found in ran for problem in found.problems]
    if problems:
        raise ValueError(
            "\n".join(["engines answer otherwise than the trained model; use none of them with it, and report this", *problems])
        )
