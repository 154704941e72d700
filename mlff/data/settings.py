"""DFT settings as text ("ENCUT=520; functional=PBE; ..."), so that frames of two settings are not mixed unnoticed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from mlff.data.frame import Frame

log = logging.getLogger(__name__)


def describe_settings(settings: Mapping[str, object]) -> str:
    """One line, sorted by name; what info["settings"] holds."""
    return "; ".join(f"{key}={value}" for key, value in sorted(settings.items()) if value not in (None, ""))


def parse_settings(text: str) -> dict[str, str]:
    """Back from `describe_settings`; empty for any other text, say a hash."""
    pairs = [part.split("=", 1) for part in text.split("; ")]
    return {pair[0]: pair[1] for pair in pairs} if all(len(pair) == 2 for pair in pairs) else {}


def refuse_mixed_settings(frames: Iterable[Frame], allow_mixed_settings: bool = False) -> Iterator[Frame]:
    """Pass frames through; raise at the first one whose settings contradict an earlier one's.

    Only settings that both frames state are compared: a frame that states none is not questioned, and the
    pseudopotential of a species matters only to frames that hold it. A hash says that something differs, not what (often
    the k-points of another cell alone): several hashes are a warning.

    Raises:
        ValueError: naming both frames and every setting that differs.
    """
    known: dict[str, tuple[str, Frame]] = {}
    seen: set[str] = set()
    hashes: dict[str, Frame] = {}
    for frame in frames:
        text = str(frame.info.get("settings", ""))
        if text and text not in seen and not allow_mixed_settings:
            seen.add(text)
            differ = []
            settings = parse_settings(text)
            if not settings:
                hashes[text] = frame
            for key, value in settings.items():
                first, other = known.setdefault(key, (value, frame))
                if first != value:
                    differ.append((f"{key} {value} here but {first} there", other))
            if differ:
                raise ValueError(
                    f"{frame.where}: DFT settings differ from {differ[0][1].where}: {'; '.join(text for text, _ in differ)}; "
                    "energies of two settings do not belong in one set: read them apart, label one part again, "
                    "or say allow_mixed_settings=True"
                )
        yield frame
    if len(hashes) > 1:
        places = ", ".join(f"{text} ({frame.where})" for text, frame in list(hashes.items())[:4])
        log.warning(
            "frames of %d DFT settings: %s; make sure that they differ in nothing but the k-points of the cell", len(hashes), places
        )
