"""Frames per second of the fitness generator on one core, detector and camera included."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time

from skelgnn_tf.datasets import fitness


def main() -> None:
    fitness.generate(13, seed=1)
    for layout in fitness.LAYOUTS:
        start = time.process_time()
        clips = fitness.generate(52, seed=0, layout=layout)
        seconds = time.process_time() - start
        frames = sum(clip.num_frames for clip in clips)
        print(f"{layout}: {frames / seconds:,.0f} frames/s on one core ({frames} frames in {seconds:.2f} s)")


if __name__ == "__main__":
    main()
