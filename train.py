"""Train a model on labelled submissions: python train.py LABELLED... --out models/NAME. All options: --help."""

from pipeline.console import run_command, train

if __name__ == "__main__":
    run_command(train)
