"""Writes tiny `.skeleton` files as NTU RGB+D's are, of bodies that sway before a Kinect."""

import numpy as np

# Kinect's bodies have numbers of this size, which float64 cannot tell apart.
FIRST_ID = 72057594037931101


def body(frames, seed=0, sway=0.1):
    """All columns of a body's joints (frames, 25, 12): x y z (meters, y up, x to the sensor's left), depth xy, color
    xy, quaternion, tracking state."""
    rng = np.random.default_rng(seed)
    at = rng.uniform((-0.5, -0.9, 2.5), (0.5, 0.9, 3.0), (25, 3))
    xyz = at + sway * np.sin(np.arange(frames)[:, None, None] / 3 + rng.uniform(0, 6, (25, 3)))
    x, y, z = np.moveaxis(xyz, -1, 0)
    rows = np.zeros((frames, 25, 12))
    rows[..., :3] = xyz
    rows[..., 3], rows[..., 4] = 256 + 366 * x / z, 212 - 366 * y / z
    rows[..., 5], rows[..., 6] = 960 + 1060 * x / z, 540 - 1060 * y / z
    rows[..., 7:11] = rng.normal(size=(25, 4))
    rows[..., 11] = 2
    return rows


def lines(frames):
    """Text lines of [{body id: (25, 12)} of each frame]."""
    yield str(len(frames))
    for bodies in frames:
        yield str(len(bodies))
        for body_id, joints in bodies.items():
            yield f"{body_id} 0 1 1 1 1 0 0.02 -0.3 2"
            yield str(len(joints))
            for joint in joints:
                yield " ".join(f"{value:.7g}" for value in joint)


def text(frames):
    """What a file of these frames holds."""
    return "".join(line + "\n" for line in lines(frames))


def single(rows, body_id=FIRST_ID):
    """Frames of one body that is always seen."""
    return [{body_id: joints} for joints in rows]


def write(folder, *names, frames=8):
    """A file of one body for each name, every file another motion."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = int("".join(character for character in name if character.isdigit()))
        (folder / f"{name}.skeleton").write_text(text(single(body(frames, seed))))
    return folder
