"""Reference energies of the atoms fitted again to what a potential leaves of the energies."""

from mlff.data import Frame, fit_reference_energies
from mlff.data.dataset import FrameDataset
from mlff.data.subset import FrameSubset
from mlff.model.potential import Potential
from mlff.run.predict import predict, subset


def shift_reference_energies(potential: Potential, data: FrameDataset, n_frames: int = 200) -> dict[str, float]:
    """E0 ← E0 + the least-squares fit of reference − predicted energies, over a sample of the frames.

    Another code's or functional's zero is so taken up before fine-tuning, and what slow weights left of a constant after training.

    Returns:
        the shift of each species, eV; empty where no frame has an energy.
    """
    chosen = [i for i in subset(data, n_frames, seed=0) if data.frames[i].energy is not None]
    if not chosen:
        return {}
    frames = FrameSubset(data.frames, chosen)
    predictions = predict(potential, FrameDataset(frames, potential.species, potential.r_max))
    left = [_with_energy(frame, frame.energy - p.energy) for frame, p in zip(frames, predictions, strict=True)]
    shift = fit_reference_energies(left).energies
    potential.set_reference_energies({s: float(e) + shift.get(s, 0.0) for s, e in zip(potential.species, potential.E0, strict=True)})
    return shift


def described(shift: dict[str, float]) -> str:
    """For people: `shifted by Li +0.0012 eV, …`."""
    return f"shifted by {', '.join(f'{s} {e:+.4f} eV' for s, e in shift.items())}"


def _with_energy(frame: Frame, energy: float) -> Frame:
    return Frame(frame.numbers, frame.positions, frame.cell, frame.pbc, energy, None, None, source=frame.source, index=frame.index)
