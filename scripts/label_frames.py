"""Label frames with a reference code: `python scripts/label_frames.py input=frames.extxyz output=labelled.extxyz oracle=cp2k`."""

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.run.command import command
from mlff.run.label import label_frames


@command("label")
def main(cfg: DictConfig) -> None:
    arguments = OmegaConf.to_container(cfg, resolve=True)
    del arguments["executor"]
    arguments["oracle"] = instantiate(cfg.oracle, _convert_="all")
    with instantiate(cfg.executor, _convert_="all") as workers:
        print(label_frames(**arguments, workers=workers))


if __name__ == "__main__":
    main()
