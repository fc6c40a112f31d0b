"""One `.skeleton` file of NTU RGB+D, the text that a Kinect v2's recording was written to."""

from __future__ import annotations

import functools
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.ntu.names import CLASSES, parse_name
from skelgnn_tf.geometry import from_kinect_axes, normalize_screen
from skelgnn_tf.skeletons import NTU_25

FPS = 30.0
IMAGE_SIZE_PX = (1920, 1080)
MAX_PERSONS = 2

_JOINTS = NTU_25.num_joints
# x y z, depth x y, colour x y, quaternion wxyz, tracking state
_COLUMNS = 12
_XYZ, _COLOUR, _STATE = slice(0, 3), slice(5, 7), 11
_BODY_FIELDS = 10
_MEND = "copy the file anew from the data set, or leave it out with --skip-bad"


class SkeletonFile(NamedTuple):
    """Where the text of a clip lies: a file, or a member of a zip."""

    name: str
    path: str
    member: str = ""

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.path}/{self.member}" if self.member else self.path


class _Body(NamedTuple):
    """A body in a frame: whose it is and the index of the line of its first joint."""

    frame: int
    body_id: int
    line: int


def read_skeleton(text: str, name: str) -> Clip:
    """The two bodies with the most motion in a `.skeleton` file's text.

    A body's motion is the sum over its joints of the variance of their positions over the frames that have the body
    (the data set's authors choose so too). Frames without either of the two are dropped; a body that is not seen in
    a frame is zeros there. The file's z is forward, y up and x to the *sensor's* left; the clip's axes are ours.

    A keypoint's confidence is 1 if the sensor tracked the joint, 0.5 if it inferred it, 0 if neither; in a file that
    marks no joint as tracked it is 1. Without pixels (zeros or not finite: outside the picture) it is 0.
    The pixels are those of the data set's videos, which are mirror images, as a Kinect delivers them: a hand that is
    on the right in `pose_m` is on the left in `keypoints`.

    Args:
        text: Of the file.
        name: Path or name of the file, SsssCcccPpppRrrrAaaa with or without ".skeleton"; it gives label and subject
            and begins the messages.

    Returns:
        A clip with keypoints (1 or 2 persons, frames, 25, 3), pose_m (persons, frames, 25, 3), the most moving first.

    Raises:
        ValueError: A name that is not NTU's, text in another layout, positions that are no finite numbers, no body.

    Source: read_skeleton_file.m and README.md of github.com/shahroudy/NTURGB-D.
    """
    stem = PurePath(name).name.removesuffix(".skeleton")
    numbers = parse_name(stem)
    if numbers is None:
        raise ValueError(
            f"{name}: expected a name like S001C002P003R002A013.skeleton (set-up, camera, performer, replication, "
            f"action); found {stem!r}; rename the file, or leave it out with --skip-bad"
        )
    if not 1 <= numbers.action <= len(CLASSES):
        raise ValueError(
            f"{name}: expected an action A001..A{len(CLASSES)}; found A{numbers.action:03d}; rename the file, or leave "
            "it out with --skip-bad"
        )
    try:
        values = _two_bodies(text.splitlines())
    except ValueError as error:
        raise ValueError(f"{name}{error}") from None
    return Clip(
        name,
        _keypoints(values[..., _COLOUR], values[..., _STATE]),
        from_kinect_axes(values[..., _XYZ]),
        label=numbers.action - 1,
        image_size_px=IMAGE_SIZE_PX,
        fps=FPS,
        subject=f"P{numbers.performer:03d}",
        action=CLASSES[numbers.action - 1],
    )


def read_files(files: Sequence[SkeletonFile], kind: str) -> list[np.ndarray | str]:
    """For each file the clip in the units of a `Sequences` of that kind, or the line that says what is wrong with it.

    Args:
        files: To read.
        kind: "pose" gives float32 (persons, frames, 25, 3) metres, "keypoints" screen units and confidence.
    """
    return [_read_file(file, kind) for file in files]


def _read_file(file: SkeletonFile, kind: str) -> np.ndarray | str:
    try:
        clip = read_skeleton(_text(file), file.place)
    except ValueError as error:
        return str(error)
    # zipfile raises RuntimeError for a password and NotImplementedError for a compression that it does not know.
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        return f"{file.place}: cannot be read ({error}); {_MEND}"
    values = clip.pose_m if kind == "pose" else normalize_screen(clip.keypoints, clip.image_size_px)
    if not (values if kind == "pose" else values[..., 2]).any():
        missing = "position" if kind == "pose" else "pixel in the colour picture"
        return f"{file.place}: no joint has a {missing}; {_MEND}"
    return values


def _text(file: SkeletonFile) -> str:
    if file.member:
        data = _archive(file.path).read(file.member)
    else:
        with open(file.path, "rb") as stream:
            data = stream.read()
    return data.decode("utf-8-sig", errors="replace")


@functools.lru_cache(maxsize=4)
def _archive(path: str) -> zipfile.ZipFile:
    """Opened once a process: reading the directory of 50,000 members takes a second."""
    return zipfile.ZipFile(path)


def _two_bodies(lines: list[str]) -> np.ndarray:
    """Lines of a file -> float32 (1 or 2 persons, frames, 25, 12), all columns of the most moving bodies."""
    num_frames, bodies = _bodies(lines)
    if not bodies:
        raise ValueError(
            f": expected a body in one frame or more; found none in all {num_frames}; put the authors' list of such "
            "files, NTU_RGBD_samples_with_missing_skeletons.txt from github.com/shahroudy/NTURGB-D, beside the files, "
            "or leave them out with --skip-bad"
        )
    values = _joints(lines, bodies)
    order = {body_id: i for i, body_id in enumerate(dict.fromkeys(body.body_id for body in bodies))}
    person = np.array([order[body.body_id] for body in bodies])
    frame = np.array([body.frame for body in bodies])
    motion = np.array([values[person == i][..., _XYZ].var(axis=0).sum() for i in range(len(order))])
    kept = np.argsort(-motion, kind="stable")[:MAX_PERSONS]
    shown = np.unique(frame[np.isin(person, kept)])
    out = np.zeros((len(kept), len(shown), _JOINTS, _COLUMNS), np.float32)
    for i, body in enumerate(kept):
        out[i, np.searchsorted(shown, frame[person == body])] = values[person == body]
    return out


def _bodies(lines: list[str]) -> tuple[int, list[_Body]]:
    """Number of frames and the bodies in them, by walking over the lines without reading the joints."""
    while lines and not lines[-1].strip():
        lines.pop()
    num_frames = _count(lines, 0, "the number of frames")
    bodies, seen, at = [], set(), 1
    for frame in range(num_frames):
        where = f"frame {frame + 1} of {num_frames}"
        num_bodies = _count(lines, at, f"the number of bodies in {where}")
        at += 1
        for _ in range(num_bodies):
            body = _Body(frame, _body_id(lines, at, where), at + 2)
            num_joints = _count(lines, at + 1, f"the number of joints in {where}, {_JOINTS}")
            if num_joints != _JOINTS:
                raise ValueError(f", line {at + 2}: expected {_JOINTS} joints; found {num_joints}; {_MEND}")
            if body[:2] in seen:
                raise ValueError(f", line {at + 1}: body {body.body_id} is in {where} twice; {_MEND}")
            seen.add(body[:2])
            bodies.append(body)
            at += 2 + _JOINTS
            if at > len(lines):
                raise ValueError(_truncated(lines, f"{_JOINTS} joints in {where}"))
    if at < len(lines):
        raise ValueError(f", line {at + 1}: expected the end after {num_frames} frames; found more lines; {_MEND}")
    return num_frames, bodies


def _count(lines: list[str], at: int, what: str) -> int:
    if at >= len(lines):
        raise ValueError(_truncated(lines, what))
    # Not int(), which takes "1_0" and "-1".
    if not (lines[at].strip().isascii() and lines[at].strip().isdecimal()):
        raise ValueError(f", line {at + 1}: expected {what}; found {_shown(lines[at])}; {_MEND}")
    return int(lines[at])


def _body_id(lines: list[str], at: int, where: str) -> int:
    if at >= len(lines):
        raise ValueError(_truncated(lines, f"a body in {where}"))
    fields = lines[at].split()
    try:
        if len(fields) != _BODY_FIELDS:
            raise ValueError
        # Bodies are numbered beyond 2^53, so as floats two of them could be one.
        return int(fields[0])
    except ValueError:
        raise ValueError(
            f", line {at + 1}: expected a body's {_BODY_FIELDS} values, its number first, in {where}; "
            f"found {_shown(lines[at])}; {_MEND}"
        ) from None


def _joints(lines: list[str], bodies: list[_Body]) -> np.ndarray:
    """The joints of all bodies in one numeric parse: float32 (bodies, 25, 12), positions finite."""
    rows = [line for body in bodies for line in lines[body.line : body.line + _JOINTS]]
    try:
        values = np.loadtxt(rows, np.float32, comments=None, ndmin=2)
    except ValueError:
        values = np.empty((0, 0))
    if values.shape != (len(rows), _COLUMNS) or not np.isfinite(values[:, _XYZ]).all():
        raise ValueError(_bad_joint(lines, bodies))
    return values.reshape(len(bodies), _JOINTS, _COLUMNS)


def _bad_joint(lines: list[str], bodies: list[_Body]) -> str:
    """What is wrong with the first line that is no joint."""
    for body in bodies:
        for at in range(body.line, body.line + _JOINTS):
            try:
                values = np.array(lines[at].split(), np.float32)
            except ValueError:
                values = np.empty(0)
            if len(values) != _COLUMNS or not np.isfinite(values[_XYZ]).all():
                joint, frame = NTU_25.joints[at - body.line], body.frame + 1
                return (
                    f", line {at + 1}: expected {_COLUMNS} numbers, the position finite, for {joint} in frame {frame}; "
                    f"found {_shown(lines[at])}; {_MEND}"
                )
    return f": expected {_COLUMNS} numbers for each joint; {_MEND}"


def _truncated(lines: list[str], what: str) -> str:
    return f", line {len(lines)}: expected {what}; the file ends here, it is truncated; {_MEND}"


def _shown(line: str) -> str:
    """A line for a message, not all of it if it is long."""
    line = line.strip()
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _keypoints(pixels: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Pixels (..., 25, 2) and tracking states (..., 25) -> float32 (..., 25, 3) with confidence."""
    seen = np.isfinite(pixels).all(axis=-1) & pixels.any(axis=-1)
    tracked = np.clip(np.nan_to_num(state), 0, 2) / 2
    # Files that were made from other recordings have no states.
    confidence = seen * (tracked if tracked.any() else np.float32(1))
    return np.concatenate([pixels, confidence[..., None]], axis=-1).astype(np.float32)
