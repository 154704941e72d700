"""A small labelled set whose labels are a known potential's, and runs on it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from tests.checks import answer_of, frame_of
from tests.contracts.potentials import build, crystal

CONF = Path(__file__).parents[2] / "conf"


def labelled_frames(n: int, seed: int = 0, shift: float = 0.0) -> list:
    """Crystals of Li, P, S and Ge labelled by a Lennard-Jones potential; `shift` eV per atom is added to the energies."""
    rng, answer = np.random.default_rng(seed), answer_of(build("pair", sigma=1.4))
    frames = []
    for k in range(n):
        atoms = crystal(rng)
        label = answer(atoms)
        info = {"trajectory": f"run{k % 4}", "temperature": 300.0 + 300 * (k % 2)}
        frames.append(
            dataclasses.replace(
                frame_of(atoms), energy=label.energy + shift * len(atoms), forces=label.forces, stress=label.stress, info=info, index=k
            )
        )
    return frames


def write_frames(path: Path, frames: list) -> Path:
    from ase.io import write

    images = []
    for frame in frames:
        atoms = frame.to_atoms()
        atoms.calc = None
        if frame.energy is not None:
            atoms.info["REF_energy"] = frame.energy
        if frame.forces is not None:
            atoms.arrays["REF_forces"] = frame.forces
        if frame.stress is not None:
            atoms.info["REF_stress"] = frame.stress
        images.append(atoms)
    write(path, images, format="extxyz")
    return path


@pytest.fixture(scope="session")
def data_file(tmp_path_factory) -> Path:
    return write_frames(tmp_path_factory.mktemp("data") / "crystals.extxyz", labelled_frames(24))


def train_config(folder: Path, data: Path, *overrides: str):
    """The configuration of a run of a few seconds."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(
            "train",
            [
                "data=files",
                f"data.path={data}",
                "data.split.fractions=[0.5, 0.25, 0.25]",
                "name=small",
                f"folder={folder}",
                *([] if "model=linear" in overrides else ["model.options.size=XS"]),
                "r_max=4.0",
                "trainer.max_epochs=4",
                "trainer.validations=4",
                "trainer.warm_start={n_frames: 4, n_directions: 4, ridge: 1e-2}",
                "trainer.accelerator=cpu",
                *overrides,
            ],
        )


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, data_file) -> Path:
    """The folder of a short finished run."""
    from mlff.run.train import train

    folder = tmp_path_factory.mktemp("runs") / "small"
    train(train_config(folder, data_file))
    return folder
