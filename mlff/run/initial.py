"""The potential that a training starts from: new, or a trained one whose reference energies fit the new data."""

import dataclasses
import logging
from dataclasses import dataclass

import torch
from omegaconf import DictConfig, OmegaConf

from mlff.artefact import load
from mlff.artefact.build import build_potential
from mlff.data import ReferenceEnergies, fit_reference_energies
from mlff.engine import one_or_committee
from mlff.model.potential import Potential
from mlff.run.data import RunData, dataset
from mlff.run.predict import predict
from mlff.run.reference import described, shift_reference_energies
from mlff.train.metrics import compute_metrics

log = logging.getLogger(__name__)

SEEDS_APART = 1000  # between the members' seeds, so that neighbouring seeds of runs share no member


@dataclass(frozen=True)
class Start:
    """Where a training starts.

    members: potentials, new or to fine-tune; one, or those of a committee.
    description: of its architecture, for the card.
    reference: the reference energies of the data.
    before: validation metrics before fine-tuning; None for a new potential.
    seen_before: names of the structures that it was trained on already.
    """

    members: tuple[Potential, ...]
    description: dict
    reference: ReferenceEnergies
    before: dict | None = None
    seen_before: tuple[str, ...] = ()


def initial_members(cfg: DictConfig, data: RunData) -> Start:
    """New potentials, or with `trainer.init_from` trained ones whose reference energies are shifted to the data."""
    train = data.part("train")
    given = OmegaConf.to_container(cfg.data.reference_energies) if cfg.data.reference_energies else None
    reference = fit_reference_energies(train, given=given)
    if not reference.identifiable:
        log.warning(reference.message)
    if cfg.trainer.init_from is None:
        description = OmegaConf.to_container(cfg.model, resolve=True) | {"species": list(data.species)}
        members = []
        for k in range(cfg.uncertainty.n_members):
            torch.manual_seed(cfg.seed + SEEDS_APART * k)  # of the weights; all else takes its seed as an argument
            potential = build_potential(description).to(getattr(torch, cfg.trainer.dtype))
            potential.set_reference_energies({s: reference.energies.get(s, 0.0) for s in potential.species})
            members.append(potential)
        return Start(tuple(members), description, reference)
    if given:
        raise ValueError(
            "both `trainer.init_from` and `data.reference_energies` are given, but E0 of the start is shifted to the data; leave one out"
        )
    log.info("model and cutoff are those of %s", cfg.trainer.init_from)
    artefact = load(cfg.trainer.init_from)
    if len(artefact.members) != cfg.uncertainty.n_members:
        raise ValueError(
            f"{cfg.trainer.init_from} has {len(artefact.members)} member(s), but `uncertainty.n_members` is {cfg.uncertainty.n_members}; "
            "fine-tuning keeps the members of its start: set the same number"
        )
    members = [member.to(getattr(torch, cfg.trainer.dtype)) for member in artefact.members]
    potential = members[0]
    train_set = dataset(data.frames, potential.species, potential.r_max, data.indices("train"))
    shifts = [shift_reference_energies(member, train_set) for member in members]
    message = "reference energies of the start" + (f", {described(shifts[0])}" if shifts[0] else ": no new frame has an energy")
    log.info(message)
    reference = dataclasses.replace(reference, message=message)
    val = dataset(data.frames, potential.species, potential.r_max, data.indices("val"))
    before = compute_metrics(data.part("val"), predict(one_or_committee(members), val, title="before fine-tuning"), cfg.data.mobile)
    held_out = [*data.part("val"), *data.part("test")]
    if seen := artefact.trained_on(held_out):
        log.warning("the start was trained on %d of the %d validation and test frames: errors on them flatter", seen, len(held_out))
    return Start(tuple(members), artefact.card["model"], reference, before, tuple(artefact.card["data"]["train_frames"]))
