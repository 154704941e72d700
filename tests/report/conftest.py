"""A synthetic but plausible Li6PS5Cl result: softened lithium forces, an overfitted training set, two training stages."""

import numpy as np
import pytest

from mlff.data.frame import Frame
from mlff.report import PredictionSamples, ReportContent, UncertaintyContent, honest_warnings, summary_sentence
from mlff.train.metrics import FramePrediction, compute_metrics
from mlff.uncertainty import fit_calibration, frame_deviation

NUMBERS = np.repeat([3, 15, 16, 17], [24, 4, 20, 4])
FORCE_RMS = {3: 0.35, 15: 1.3, 16: 0.7, 17: 0.4}  # eV/Å at 600 K
SLOPE = {3: 0.93, 15: 0.99, 16: 0.98, 17: 0.96}


def frames_and_predictions(rng, n_frames, noise, temperatures=(300, 600, 900), stress=True):
    """Frames with random labels, and predictions with an error of `noise` times the force plus a floor."""
    frames, predictions = [], []
    for index in range(n_frames):
        temperature = temperatures[index % len(temperatures)]
        scale = np.array([FORCE_RMS[z] for z in NUMBERS])[:, None] * np.sqrt(temperature / 600)
        forces = scale * rng.normal(size=(52, 3))
        error = noise * (0.6 * np.abs(forces) + 0.3 * scale) * rng.standard_t(5, size=(52, 3))
        tensor = rng.normal(size=(3, 3)) * 4e-3
        tensor = (tensor + tensor.T) / 2
        wrong = rng.normal(size=(3, 3)) * 3e-3 * noise
        energy = 52 * (-4.2134 + 6.5e-5 * temperature + 0.004 * rng.normal())
        info = {"temperature": temperature, "config_type": ("bulk", "strained", "vacancy")[index % 7 % 3]}
        frames.append(
            Frame(
                numbers=NUMBERS,
                positions=10 * rng.random((52, 3)),
                cell=10.1 * np.eye(3),
                pbc=np.array([True, True, True]),
                energy=energy,
                forces=forces,
                stress=tensor if stress else None,
                energy_kind="free",
                source="argyrodite.extxyz",
                index=index,
                info=info,
            )
        )
        predictions.append(
            FramePrediction(
                energy + 52 * 1e-3 * (0.4 + 12 * noise * rng.normal()),
                forces * np.array([SLOPE[z] for z in NUMBERS])[:, None] + error,
                tensor + (wrong + wrong.T) / 2,
            )
        )
    return frames, predictions


@pytest.fixture(scope="session")
def content() -> ReportContent:
    rng = np.random.default_rng(7)
    metrics, samples = {}, {}
    for split, n_frames, noise in (("train", 240, 0.06), ("val", 40, 0.1), ("test", 120, 0.1)):
        temperatures = (300, 600, 900) if split != "test" else (300, 600, 900, 1200)
        frames, predictions = frames_and_predictions(rng, n_frames, noise, temperatures)
        metrics[split] = compute_metrics(frames, predictions, ["Li"])
        samples[split] = PredictionSamples.from_frames(frames, predictions)
    return ReportContent(
        title="Li₆PS₅Cl, lean2 S",
        summary=summary_sentence(metrics, "Li"),
        warnings=honest_warnings(
            metrics, leaks=True, split_description="random frames of one trajectory", energies_identifiable=False, charged=True
        ),
        metrics=metrics,
        samples=samples,
        history=history(rng),
        data_summary={
            "train": {"frames": 240, "atoms": 12480, "temperatures": "300–900 K", "force RMS, eV/Å": 0.71},
            "val": {"frames": 40, "atoms": 2080, "temperatures": "300–900 K", "force RMS, eV/Å": 0.70},
            "test": {"frames": 120, "atoms": 6240, "temperatures": "300–1200 K", "force RMS, eV/Å": 0.78},
            "file": "argyrodite.extxyz",
            "energy": "free energy",
            "reference energies": "one composition only: single atoms are not identifiable, the ridge shares the energy among them",
            "reference energies, eV": {"Li": -1.9081, "P": -5.3642, "S": -4.1163, "Cl": -1.842},
            "split": "random",
            "neighbours per atom": {"Li": 41.2, "P": 38.9, "S": 40.3, "Cl": 40.8},
        },
        config_text="seed: 1\nmodel:\n  name: lean2\n  r_max: 5.0  # Å\n  channels: [32, 16, 16, 16]\n" + "optimizer: {lr: 5.0e-3}\n" * 20,
        card={
            "architecture": "lean2",
            "parameters": 95_132,
            "species": ["Li", "P", "S", "Cl"],
            "r_max, Å": 5.0,
            "reference energies, eV": {"Li": -1.9081, "P": -5.3642, "S": -4.1163, "Cl": -1.842},
            "labels": "PBE, VASP, 520 eV",
            "licence": None,
        },
        reference_rows=[
            {"name": "NequIP, 100 frames", "force_mae": 25.8, "source": "Batzner et al. 2022"},
            {"name": "MACE, 14 min on one core", "energy_mae": 2.3, "force_mae": 55.1, "force_rmse": 72.9, "source": "same split"},
            {"name": "kernel, on the fly", "element": "Li", "force_rmse": 27.7, "source": "published"},
        ],
        mobile=("Li",),
        environment={"python": "3.11", "torch": "2.11", "mlff": "0.1.0"},
        uncertainty=uncertainty(),
    )


def uncertainty():
    """Four members that share a third of their error: too sure of themselves before they are calibrated, on the first half."""
    rng = np.random.default_rng(3)
    groups = np.where(np.tile(NUMBERS, 120) == 3, "Li", "framework")
    spread = np.where(groups == "Li", 0.012, 0.04) * np.exp(0.5 * rng.normal(size=len(groups)))  # eV/Å
    members = spread[:, None] * rng.normal(size=(4, len(groups), 3))
    errors = members.mean(0) + 0.7 * spread[:, None] * rng.standard_t(4, size=(len(groups), 3))
    deviation, half = frame_deviation(members).force, len(groups) // 2
    sigma, _ = fit_calibration(deviation[:half], errors[:half], groups[:half]).sigma(deviation[half:], groups[half:])
    grade = (spread * np.exp(0.8 * rng.normal(size=len(groups))))[half:] / 0.1
    return UncertaintyContent.from_arrays(deviation[half:], sigma, errors[half:], groups[half:], grade, "60 test frames")


def history(rng):
    """Rows as a trainer logs them: the loss often, the validation once an epoch."""
    rows = []
    for step in range(0, 6001, 20):
        decay = 1 / (1 + step / 150) ** 0.8
        row = {"step": step, "epoch": step / 120, "wall_time_s": 0.06 * step, "stage": 1 if step < 4500 else 2}
        row |= {
            "train_loss": 0.8 * decay * np.exp(0.15 * rng.normal()),
            "lr": 5e-3 * min(1, (step + 1) / 300) * (1 if step < 2000 else 0.999 ** (step - 2000)),
        }
        if step % 120 == 0:
            drop = 0.75 if step > 4500 else 1.0
            row |= {"val_force_mae": 22 + 300 * decay * np.exp(0.05 * rng.normal()), "val_energy_mae": drop * (0.6 + 14 * decay)}
            row |= {"train_force_mae": 14 + 290 * decay, "val_stress_mae": 0.1 + 2 * decay}
        rows.append(row)
    return rows
