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
from mlff.export.engine import check_dtype, no_device
from mlff.md.batch import Settings
from mlff.md.forces import MEAN
from mlff.md.guards import Bounds
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.replica import Replica
from mlff.structure import structure
from mlff.units import GPA

HYDROGENS, SHORT, LONG = 3.0, 1.0, 4.0  # amu, and the longest timesteps, fs, with atoms lighter than that and without


def plan_of(cfg: DictConfig) -> Plan:
    """The plan of conf/md/md.yaml.

    Raises:
        ValueError: an interval that is no whole number of steps, or what the parts of a plan refuse.
    """
    given = OmegaConf.to_container(cfg, resolve=True)
    constraint = given["constraint"]
    _check_kinds(given)
    check_dtype(cfg.dtype)
    if reason := no_device(cfg.device):
        raise ValueError(reason)
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


def timestep_warning(plan: Plan) -> str | None:
    """What is odd about a timestep for the lightest atoms; None where nothing is."""
    timestep = plan.settings.timestep
    lightest = min(float(replica.atoms.get_masses().min()) for replica in plan.replicas)
    longest = SHORT if lightest < HYDROGENS else LONG
    if longest / 20 <= timestep <= longest:
        return None
    return f"the timestep is {timestep:g} fs; with atoms of {lightest:.3g} amu {longest / 2:g} fs is usual, {longest:g} fs the most"


def model_hash(model: str) -> str:
    """SHA-256 of an artefact's weights."""
    with open(locate_model(model) / TENSORS["weights"], "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_kinds(given: Mapping) -> None:
    """Refuse words where numbers are wanted, before they fail in a sum."""
    numbers = {name: given[name] for name in ("timestep", "pressure", "skin")}
    numbers |= {f"{group}.{name}": value for group in ("record", "guards") for name, value in given[group].items()}
    numbers |= {f"temperatures[{k}]": value for k, value in enumerate(given["temperatures"]) if isinstance(given["temperatures"], list)}
    for name, value in numbers.items():
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"{name} is {value!r}, expected a number; conf/md/md.yaml says in which unit")
    if not given["timestep"] > 0:
        raise ValueError(f"timestep is {given['timestep']} fs, expected above 0")
    if given["repeat"] is not None and not isinstance(given["repeat"], list):
        raise ValueError(f"repeat is {given['repeat']!r}, expected three numbers of cells, such as [2,2,2]")


def _steps(name: str, every: float | None, timestep: float) -> int | None:
    """How many steps an interval (fs) is."""
    if every is None:
        return None
    steps = round(every / timestep)
    if steps < 1 or abs(steps * timestep - every) > 1e-6 * timestep:
        raise ValueError(f"record.{name} is {every} fs, expected a multiple of the timestep, {timestep} fs")
    return steps
