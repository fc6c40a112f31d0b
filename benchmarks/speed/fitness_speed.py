"""Frames per second of the fitness generator on one core, detector and camera included.

Example: python benchmarks/speed/fitness_speed.py
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click

from _timing import median_s, time_in_turns
from skelgnn_tf.datasets import fitness


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.IntRange(1), default=52, show_default=True, help="Clips per round.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Rounds that count.")
def main(clips: int, rounds: int) -> None:
    """Time the fitness generator on one core, for every keypoint layout."""
    works = {layout: lambda layout=layout: fitness.generate(clips, seed=0, layout=layout) for layout in fitness.LAYOUTS}
    frames = sum(clip.num_frames for clip in fitness.generate(clips, seed=0, layout=fitness.LAYOUTS[0]))
    # The time of the process, so that other work on the machine does not count.
    for layout, taken in time_in_turns(works, rounds, clock=time.process_time).items():
        seconds = median_s(taken)
        click.echo(f"{layout}: {frames / seconds:,.0f} frames/s on one core ({frames} frames in {seconds:.2f} s)")


if __name__ == "__main__":
    main()
