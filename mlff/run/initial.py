"""The potential that a training starts from: new, or a trained one whose reference energies fit the new data."""

import dataclasses
import logging
from dataclasses import dataclass

import torch
from omegaconf import DictConfig, OmegaConf

from mlff.artefact import load
from mlff.artefact.build import build_potential
from mlff.data import ReferenceEnergies, fit_reference_energies
from mlff.model.potential import Potential
from mlff.run.data import RunData, dataset
from mlff.run.predict import predict
from mlff.run.reference import described, shift_reference_energies
from mlff.train.metrics import compute_metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """Where a training starts.

    potential: new, or one to fine-tune.
    description: of its architecture, for the card.
    reference: the reference energies of the data.
    before: validation metrics before fine-tuning; None for a new potential.
    seen_before: names of the structures that it was trained on already.
    """

    potential: Potential
    description: dict
    reference: ReferenceEnergies
    before: dict | None = None
    seen_before: tuple[str, ...] = ()


def initial_potential(cfg: DictConfig, data: RunData) -> Start:
    """A new potential, or with `trainer.init_from` a trained one whose reference energies are shifted to the data."""
    train = data.part("train")
    given = OmegaConf.to_container(cfg.data.reference_energies) if cfg.data.reference_energies else None
    reference = fit_reference_energies(train, given=given)
    if not reference.identifiable:
        log.warning(reference.message)
    if cfg.trainer.init_from is None:
        description = OmegaConf.to_container(cfg.model, resolve=True) | {"species": list(data.species)}
        potential = build_potential(description).to(getattr(torch, cfg.trainer.dtype))
        potential.set_reference_energies({s: reference.energies.get(s, 0.0) for s in potential.species})
        return Start(potential, description, reference)
    if given:
        raise ValueError(
            "both `trainer.init_from` and `data.reference_energies` are given, but E0 of the start is shifted to the data; leave one out"
        )
    log.info("model and cutoff are those of %s", cfg.trainer.init_from)
    artefact = load(cfg.trainer.init_from)
    potential = artefact.potential.to(getattr(torch, cfg.trainer.dtype))
    shift = shift_reference_energies(potential, dataset(data.frames, potential.species, potential.r_max, data.indices("train")))
    message = (
        f"reference energies of the start, {described(shift)}" if shift else "reference energies of the start: no new frame has an energy"
    )
    log.info(message)
    reference = dataclasses.replace(reference, message=message)
    val = dataset(data.frames, potential.species, potential.r_max, data.indices("val"))
    before = compute_metrics(data.part("val"), predict(potential, val, title="before fine-tuning"), cfg.data.mobile)
    held_out = [*data.part("val"), *data.part("test")]
    if seen := artefact.trained_on(held_out):
        log.warning("the start was trained on %d of the %d validation and test frames: errors on them flatter", seen, len(held_out))
    return Start(potential.train(), artefact.card["model"], reference, before, tuple(artefact.card["data"]["train_frames"]))
