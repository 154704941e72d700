"""All that a report shows, as plain data: nothing here knows how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase.data import chemical_symbols

from mlff.data.frame import Frame
from mlff.report.environment import software_versions
from mlff.report.uncertainty import UncertaintyContent
from mlff.train.metrics import FramePrediction

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class PredictionSamples:
    """Reference and predicted labels of one split, for the plots; only what has a reference is in it.

    Energies (n_frames,), eV/atom; forces (n_atoms, 3), eV/Å, with the symbol of each atom in `elements` (n_atoms,);
    stresses (n_stresses, 3, 3), eV/Å³, tension positive.
    """

    energy_ref: np.ndarray
    energy_pred: np.ndarray
    forces_ref: np.ndarray
    forces_pred: np.ndarray
    elements: np.ndarray
    stress_ref: np.ndarray
    stress_pred: np.ndarray

    def __post_init__(self):
        pairs = {"energy": (self.energy_ref, self.energy_pred), "forces": (self.forces_ref, self.forces_pred)}
        for name, (reference, predicted) in (pairs | {"stress": (self.stress_ref, self.stress_pred)}).items():
            if np.shape(reference) != np.shape(predicted):
                raise ValueError(
                    f"{name}: reference {np.shape(reference)} and prediction {np.shape(predicted)} differ in shape; give them in pairs"
                )
        if len(self.elements) != len(self.forces_ref):
            raise ValueError(f"found {len(self.elements)} elements for {len(self.forces_ref)} forces; give one symbol per atom")

    @classmethod
    def from_frames(cls, frames: Sequence[Frame], predictions: Sequence[FramePrediction]) -> "PredictionSamples":
        """Collects the labels of frames and the predictions made for them, in the same order."""
        pairs = list(zip(frames, predictions, strict=True))
        energies = [(f.energy / len(f.numbers), p.energy / len(f.numbers)) for f, p in pairs if f.energy is not None]
        forces = [(f.forces, p.forces, f.numbers) for f, p in pairs if f.forces is not None]
        stresses = [(f.stress, p.stress) for f, p in pairs if f.stress is not None and p.stress is not None]
        energy = np.array(energies, float).reshape(-1, 2)
        stress = np.array(stresses, float).reshape(-1, 2, 3, 3)
        return cls(
            energy_ref=energy[:, 0],
            energy_pred=energy[:, 1],
            forces_ref=np.concatenate([np.zeros((0, 3)), *(reference for reference, _, _ in forces)]),
            forces_pred=np.concatenate([np.zeros((0, 3)), *(predicted for _, predicted, _ in forces)]),
            elements=np.array([chemical_symbols[z] for _, _, numbers in forces for z in numbers], dtype="U2"),
            stress_ref=stress[:, 0],
            stress_pred=stress[:, 1],
        )


@dataclass(frozen=True)
class ReportContent:
    """One report.

    Args:
        title, summary: the heading and one sentence under it with the main numbers (`summary_sentence` writes one).
        warnings: what a reader must know before trusting the numbers (`honest_warnings` collects them).
        metrics: split → result of `compute_metrics`; samples: split → the labels behind the plots.
        history: rows of the training, with any of: step, epoch, wall_time_s, train_loss, lr, val_energy_mae (meV/atom),
            val_force_mae (meV/Å), val_stress_mae (meV/Å³), stage. A row may lack a field.
        data_summary: what the data are: name → text, number, list, or {column: value} for a row of a table.
        config_text: the resolved configuration, YAML. card: the model card. mobile: symbols of the mobile species.
        reference_rows: numbers to compare with: "name", "source", any field of a metrics row, and "element" where they are
            of one element.
        environment: package → version.
        uncertainty: what the committee says of its errors and how far that is true; None where there is no committee.
    """

    title: str
    summary: str
    warnings: Sequence[str]
    metrics: Mapping[str, Mapping]
    samples: Mapping[str, PredictionSamples]
    history: Sequence[Mapping] = ()
    data_summary: Mapping = field(default_factory=dict)
    config_text: str = ""
    card: Mapping = field(default_factory=dict)
    reference_rows: Sequence[Mapping] = ()
    mobile: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=software_versions)
    uncertainty: UncertaintyContent | None = None

    def __post_init__(self):
        for name, mapping in (("metrics", self.metrics), ("samples", self.samples)):
            if unknown := sorted(set(mapping) - set(SPLITS)):
                raise ValueError(f"{name} holds the splits {unknown}; expected some of {list(SPLITS)}")
        if not self.metrics:
            raise ValueError("metrics is empty; give the result of compute_metrics for at least one of train, val, test")

    @property
    def headline(self) -> str:
        """The split that speaks for the model: test, else val, else train."""
        return headline_split(self.metrics)


def headline_split(metrics: Mapping[str, Mapping]) -> str:
    """The split that speaks for the model: test, else val, else train."""
    return next(split for split in reversed(SPLITS) if split in metrics)
