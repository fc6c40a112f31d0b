"""Push keypoints frame by frame, as a camera gives them, and get the pose, the exercise and the count of now.

Run from the root of the repository: python examples/live_stream.py
"""

from __future__ import annotations

import argparse
import time

import skelgnn_tf as sk
from skelgnn_tf.datasets import fitness


def main() -> None:
    """Streams a generated clip and prints whenever something changes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300, help="length of the generated clip")
    frames = parser.parse_args().frames
    clip = fitness.generate(
        1,
        seed=3,
        frames=frames,
        exercise="jumping_jack",
        layout="blazepose_33",
        skeleton=sk.skeletons.BLAZEPOSE_33,
    )[0]

    session = sk.LiveSession(clip.fps, clip.image_size_px, layout="blazepose_33")
    shown, start = (None, 0), time.perf_counter()
    for frame in range(clip.num_frames):
        # (joints, 3): x and y in pixels of the upright, unmirrored picture, and confidence.
        result = session.push(clip.keypoints[0, frame], time_s=frame / clip.fps)
        if (result.exercise, result.count) != shown:
            shown = (result.exercise, result.count)
            print(f"{frame / clip.fps:5.1f} s  {result.exercise}: {result.count}")
    milliseconds = 1000 * (time.perf_counter() - start) / clip.num_frames
    print(f"truth: {clip.action}: {clip.repetitions[-1]}; {milliseconds:.1f} ms per frame")


if __name__ == "__main__":
    main()
