"""A set without any label is refused with the keys that it has, because the labels often stand under names of their own."""

from __future__ import annotations

from collections.abc import Sequence

from mlff.data.frame import Frame
from mlff.data.labels import ENERGY_KEYS, FORCES_KEYS, STRESS_KEYS

REMEDY = "rename them to REF_energy (eV), REF_forces (eV/Å) and REF_stress (eV/Å³)"


def refuse_unlabelled(frames: Sequence[Frame]) -> None:
    """Pass if any frame has a label; of a labelled set only the first frame is looked at.

    Raises:
        ValueError: no frame has an energy, forces or a stress; names the keys of the frames, the accepted ones and the remedy.
    """
    if any(label is not None for frame in frames for label in (frame.energy, frame.forces, frame.stress)):
        return
    if not len(frames):
        raise ValueError("the set is empty, expected labelled frames; name another file")
    raise ValueError(f"none of {len(frames)} frames has an energy, forces or a stress: {unread_hint(frames)}")


def unread_hint(frames: Sequence[Frame]) -> str:
    """What the first frame without energy or forces holds under numeric keys, and which keys are labels."""
    frame = next(frame for frame in frames if frame.energy is None or frame.forces is None)
    scalars = [key for key, value in frame.info.items() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    kinds = (("numbers", scalars), ("arrays", list(frame.info.get("unread_keys", ()))))
    found = ", ".join(f"the {what} {', '.join(sorted(names))}" for what, names in kinds if names)
    accepted = "; ".join(" or ".join(names) for names in ((*ENERGY_KEYS, "free_energy"), FORCES_KEYS, STRESS_KEYS))
    return f"{frame.where} holds {found or 'no further numbers'}, expected labels under {accepted}; {REMEDY}"
