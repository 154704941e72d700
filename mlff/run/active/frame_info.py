"""What the frames of an extxyz file say of themselves, read without their atoms."""

from pathlib import Path

from ase.io.extxyz import key_val_str_to_dict


def frame_infos(path: Path) -> list[dict]:
    """The comment line of each frame, parsed; a file of no frames gives none."""
    found = []
    with open(path, encoding="utf-8") as file:
        while count := file.readline().strip():
            found.append(key_val_str_to_dict(file.readline()))
            for _ in range(int(count)):
                file.readline()
    return found
