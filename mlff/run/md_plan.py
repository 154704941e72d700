"""What a configuration of molecular dynamics asks for, as a plan of `mlff.md`."""

import hashlib
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.artefact import load
from mlff.artefact.files import TENSORS
from mlff.artefact.locate import locate_model
from mlff.export.engine import check_dtype
from mlff.md.batch import Settings
from mlff.md.forces import MEAN
from mlff.md.guards import Bounds
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.replica import Replica
from mlff.structure import structure
from mlff.units import GPA


def plan_of(cfg: DictConfig) -> Plan:
    """The plan of conf/md/md.yaml.

    Raises:
        ValueError: an interval that is no whole number of steps, or what the parts of a plan refuse.
    """
    given = OmegaConf.to_container(cfg, resolve=True)
    constraint = given["constraint"]
    check_dtype(cfg.dtype)
    return Plan(
        potential=load(cfg.model).potential,
        replicas=replicas_of(given),
        protocol=protocol_of(given),
        ensemble=instantiate(cfg.ensemble),
        settings=Settings(cfg.timestep, cfg.skin, cfg.device, cfg.dtype, constraint["kind"]),
        others={name: instantiate(options) for name, options in cfg.other_ensembles.items()},
        intervals=Intervals(**{name: _steps(name, every, cfg.timestep) for name, every in given["record"].items()}),
        bounds=Bounds(**given["guards"]),
        reference=constraint["reference"],
        about={
            "model": str(cfg.model),
            "model_hash": model_hash(cfg.model),
            "constraint_kind": constraint["kind"],
            "reference": constraint["reference"],
        },
    )


def protocol_of(given: Mapping) -> Protocol:
    """The stages of a resolved configuration."""
    return Protocol([Stage(**stage) for stage in given["protocol"]["stages"]])


def replicas_of(given: Mapping) -> list[Replica]:
    """Every combination of structures, temperatures, modes, seeds and members of a resolved configuration."""
    constraint, members = given["constraint"], given["members"]
    lists = {name: given[name] for name in ("structures", "temperatures", "seeds")} | {"constraint.modes": constraint["modes"]}
    for name, values in lists.items():
        if not isinstance(values, list) or not values or len({str(value) for value in values}) < len(values):
            raise ValueError(f"{name} is {values!r}, expected a list such as [{values}] with one entry at least, and each once")
    replicas = []
    for source, seed in product(given["structures"], given["seeds"]):
        atoms = structure(source, given["repeat"], seed)
        for temperature, mode, member in product(given["temperatures"], constraint["modes"], members or [None]):
            name = f"{Path(source).stem}_{temperature:g}K_{mode}_s{seed}" + ("" if member is None else f"_m{member}")
            replicas.append(
                Replica(
                    name=name,
                    atoms=atoms,
                    temperature=temperature,
                    pressure=given["pressure"] * GPA,
                    mode=mode,
                    kinds=constraint["anions"],
                    seed=seed,
                    driver=MEAN if member is None else member,
                    structure=Path(source).stem,
                )
            )
    return replicas


def model_hash(model: str) -> str:
    """SHA-256 of an artefact's weights."""
    with open(locate_model(model) / TENSORS["weights"], "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _steps(name: str, every: float | None, timestep: float) -> int | None:
    """How many steps an interval (fs) is."""
    if every is None:
        return None
    steps = round(every / timestep)
    if steps < 1 or abs(steps * timestep - every) > 1e-6 * timestep:
        raise ValueError(f"record.{name} is {every} fs, expected a multiple of the timestep, {timestep} fs")
    return steps
