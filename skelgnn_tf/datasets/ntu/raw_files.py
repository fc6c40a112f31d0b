"""Parses a `.skeleton` file of NTU RGB+D, the text format of a Kinect v2's recording."""

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
# x y z, depth x y, color x y, quaternion wxyz, tracking state
_COLUMNS = 12
_XYZ, _COLOR, _STATE = slice(0, 3), slice(5, 7), 11
_BODY_FIELDS = 10
_MEND = "Copy the file from the data set again, or set --skip-bad to leave it out."


class SkeletonFile(NamedTuple):
    """The location of a clip's text: a file, or a member of a zip."""

    name: str
    path: str
    member: str = ""

    @property
    def place(self) -> str:
        """The location as text for messages."""
        return f"{self.path}/{self.member}" if self.member else self.path


class _Body(NamedTuple):
    """A body in a frame: its identity and the index of the line of its first joint."""

    frame: int
    body_id: int
    line: int


def read_skeleton(text: str, name: str) -> Clip:
    """Parses the text of a `.skeleton` file and keeps the two bodies with the most motion.

    The motion of a body is the variance of its joint positions over the frames that have the body, summed over the
    joints, as the authors of the data set define it. Frames with neither of the two bodies are dropped. A body that is
    not seen in a frame is zeros there. In the file x is to the *sensor's* left, y up and z forward; the clip has camera
    axes.

    The confidence of a keypoint is 1 if the sensor tracked the joint, 0.5 if it inferred the joint, and 0 otherwise. In
    a file that marks no joint as tracked it is 1. Without pixels (zeros or not finite: outside the picture) it is 0.
    The pixels are those of the data set's videos, which are mirror images, as a Kinect delivers them: a hand that is
    on the right in `pose_m` is on the left in `keypoints`.

    Args:
        text: Content of the file.
        name: Path or name of the file, SsssCcccPpppRrrrAaaa with or without ".skeleton". It defines label and subject,
            and is used in messages.

    Returns:
        A clip with keypoints (1 or 2 persons, frames, 25, 3) and pose_m (persons, frames, 25, 3), the body with the
        most motion first.

    Raises:
        ValueError: The name or the text has another format, positions are not finite, or there is no body.

    Source: read_skeleton_file.m and README.md of github.com/shahroudy/NTURGB-D.
    """
    stem = PurePath(name).name.removesuffix(".skeleton")
    numbers = parse_name(stem)
    if numbers is None:
        raise ValueError(
            f"{name}: the file name must be like S001C002P003R002A013.skeleton (setup, camera, performer, replication, "
            f"action). Received: {stem!r}. Rename the file, or set --skip-bad to leave it out."
        )
    if not 1 <= numbers.action <= len(CLASSES):
        raise ValueError(
            f"{name}: the action must be A001 to A{len(CLASSES)}. Received: A{numbers.action:03d}. Rename the file, or "
            "set --skip-bad to leave it out."
        )
    try:
        values = _two_bodies(text.splitlines())
    except ValueError as error:
        raise ValueError(f"{name}{error}") from None
    return Clip(
        name,
        _keypoints(values[..., _COLOR], values[..., _STATE]),
        from_kinect_axes(values[..., _XYZ]),
        label=numbers.action - 1,
        image_size_px=IMAGE_SIZE_PX,
        fps=FPS,
        subject=f"P{numbers.performer:03d}",
        action=CLASSES[numbers.action - 1],
    )


def read_files(files: Sequence[SkeletonFile], kind: str) -> list[np.ndarray | str]:
    """Reads files.

    Args:
        files: The files.
        kind: "pose" for float32 (persons, frames, 25, 3) in meters, "keypoints" for screen units and confidence.

    Returns:
        For each file its values, or a line about what is wrong with it.
    """
    return [_read_file(file, kind) for file in files]


def _read_file(file: SkeletonFile, kind: str) -> np.ndarray | str:
    try:
        clip = read_skeleton(_text(file), file.place)
    except ValueError as error:
        return str(error)
    # zipfile raises RuntimeError for a password and NotImplementedError for an unknown compression.
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        return f"{file.place}: the file cannot be read ({error}). {_MEND}"
    if kind == "pose" and clip.pose_m is not None:
        values = seen = clip.pose_m
    else:
        values = normalize_screen(clip.keypoints, clip.image_size_px)
        seen = values[..., 2]
    if not seen.any():
        missing = "position" if kind == "pose" else "pixel in the color picture"
        return f"{file.place}: no joint has a {missing}. {_MEND}"
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
    """A zip, opened once in each process: reading the directory of 50,000 members takes a second."""
    return zipfile.ZipFile(path)


def _two_bodies(lines: list[str]) -> np.ndarray:
    """Lines of a file -> float32 (1 or 2 persons, frames, 25, 12), all columns of the bodies with the most motion."""
    num_frames, bodies = _bodies(lines)
    if not bodies:
        raise ValueError(
            f": the file must have a body. Received: none in {num_frames} frames. Put the authors' list of such files, "
            "NTU_RGBD_samples_with_missing_skeletons.txt from github.com/shahroudy/NTURGB-D, next to the files, or set "
            "--skip-bad to leave them out."
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
    """Number of frames and the bodies in them, without parsing the joints."""
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
                raise ValueError(
                    f", line {at + 2}: the number of joints must be {_JOINTS}. Received: {num_joints}. {_MEND}"
                )
            if body[:2] in seen:
                raise ValueError(f", line {at + 1}: body {body.body_id} is twice in {where}. {_MEND}")
            seen.add(body[:2])
            bodies.append(body)
            at += 2 + _JOINTS
            if at > len(lines):
                raise ValueError(_truncated(lines, f"{_JOINTS} joints in {where}"))
    if at < len(lines):
        raise ValueError(f", line {at + 1}: the file must end after {num_frames} frames. Received: more lines. {_MEND}")
    return num_frames, bodies


def _count(lines: list[str], at: int, what: str) -> int:
    if at >= len(lines):
        raise ValueError(_truncated(lines, what))
    # Not int(), which takes "1_0" and "-1".
    if not (lines[at].strip().isascii() and lines[at].strip().isdecimal()):
        raise ValueError(f", line {at + 1}: the line must be {what}. Received: {_shown(lines[at])}. {_MEND}")
    return int(lines[at])


def _body_id(lines: list[str], at: int, where: str) -> int:
    if at >= len(lines):
        raise ValueError(_truncated(lines, f"a body in {where}"))
    fields = lines[at].split()
    try:
        if len(fields) != _BODY_FIELDS:
            raise ValueError
        # Body numbers exceed 2^53, so two of them could be the same float.
        return int(fields[0])
    except ValueError:
        raise ValueError(
            f", line {at + 1}: the line must be the {_BODY_FIELDS} values of a body in {where}, its number first. "
            f"Received: {_shown(lines[at])}. {_MEND}"
        ) from None


def _joints(lines: list[str], bodies: list[_Body]) -> np.ndarray:
    """The joints of all bodies, parsed at once: float32 (bodies, 25, 12), positions finite."""
    rows = [line for body in bodies for line in lines[body.line : body.line + _JOINTS]]
    try:
        values = np.loadtxt(rows, np.float32, comments=None, ndmin=2)
    except ValueError:
        values = np.empty((0, 0), np.float32)
    if values.shape != (len(rows), _COLUMNS) or not np.isfinite(values[:, _XYZ]).all():
        raise ValueError(_bad_joint(lines, bodies))
    return values.reshape(len(bodies), _JOINTS, _COLUMNS)


def _bad_joint(lines: list[str], bodies: list[_Body]) -> str:
    """What is wrong with the first line that is not a joint."""
    for body in bodies:
        for at in range(body.line, body.line + _JOINTS):
            try:
                values = np.array(lines[at].split(), np.float32)
            except ValueError:
                values = np.empty(0, np.float32)
            if len(values) != _COLUMNS or not np.isfinite(values[_XYZ]).all():
                joint, frame = NTU_25.joints[at - body.line], body.frame + 1
                return (
                    f", line {at + 1}: {joint} in frame {frame} must be {_COLUMNS} numbers with a finite position. "
                    f"Received: {_shown(lines[at])}. {_MEND}"
                )
    return f": every joint must be {_COLUMNS} numbers. {_MEND}"


def _truncated(lines: list[str], what: str) -> str:
    return f", line {len(lines)}: the next line must be {what}. Received: the end of the file, it is truncated. {_MEND}"


def _shown(line: str) -> str:
    """A line for a message, shortened if it is long."""
    line = line.strip()
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _keypoints(pixels: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Pixels (..., 25, 2) and tracking states (..., 25) -> float32 (..., 25, 3) with confidence."""
    seen = np.isfinite(pixels).all(axis=-1) & pixels.any(axis=-1)
    tracked = np.clip(np.nan_to_num(state), 0, 2) / 2
    # Files that were converted from other recordings have no states.
    confidence = seen * (tracked if tracked.any() else np.float32(1))
    return np.concatenate([pixels, confidence[..., None]], axis=-1).astype(np.float32)
