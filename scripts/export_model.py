"""A model compiled ahead of time: `python scripts/export_model.py model=…`; conf/export/export.yaml has every setting."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("export", folder="export")
def main(cfg: DictConfig) -> None:
    from mlff.run.export import export  # here, so that --help answers without loading torch

    export(cfg)


if __name__ == "__main__":
    main()
