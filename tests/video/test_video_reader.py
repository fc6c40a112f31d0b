"""Videos, folders and cameras: pictures written with PyAV and Pillow come back upright and in time."""

from __future__ import annotations

import itertools
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from skelgnn_tf.video.reader import open_video
from skelgnn_tf.video.timeline import at_constant_rate, newest, read_ahead
from skelgnn_tf.video.webcam import Webcam, connect

WIDTH, HEIGHT = 64, 48


def corners() -> np.ndarray:
    """A picture whose four quarters differ: white, red, green, blue, row by row."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[: HEIGHT // 2, : WIDTH // 2] = 255
    rgb[: HEIGHT // 2, WIDTH // 2 :, 0] = 255
    rgb[HEIGHT // 2 :, : WIDTH // 2, 1] = 255
    rgb[HEIGHT // 2 :, WIDTH // 2 :, 2] = 255
    return rgb


def gray(number: int) -> np.ndarray:
    """A picture that tells its number by its brightness."""
    return np.full((HEIGHT, WIDTH, 3), 8 * number + 4, np.uint8)


def number(rgb: np.ndarray) -> int:
    return round((float(rgb.mean()) - 4) / 8)


def write_video(path: Path, pictures, rate=30, times_ms=None, turn=None, options=None) -> Path:
    with av.open(str(path), "w", options=options) as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "5", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        if times_ms is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if turn is not None:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        for index, rgb in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def test_a_video_gives_every_picture_once_and_in_order(tmp_path):
    video = open_video(write_video(tmp_path / "a.mp4", map(gray, range(20)), rate=25))
    pictures = list(video)
    assert [number(p.rgb) for p in pictures] == list(range(20))
    assert [p.index for p in pictures] == list(range(20))
    np.testing.assert_allclose([p.time_s for p in pictures], np.arange(20) / 25)
    assert (video.fps, video.num_frames, video.image_size_px) == (25.0, 20, (WIDTH, HEIGHT))
    assert video.notes == []
    assert [number(p.rgb) for p in video] == list(range(20)), "a file can be read again"


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24), Fraction(60)])
def test_times_that_a_container_rounds_to_milliseconds_are_a_constant_rate(tmp_path, rate):
    video = open_video(write_video(tmp_path / "a.mkv", map(gray, range(30)), rate=rate))
    assert video.fps == pytest.approx(float(rate), rel=2e-3)
    assert [number(p.rgb) for p in video] == list(range(30))
    assert video.notes == []


@pytest.mark.parametrize(("degrees", "mirrored"), [*itertools.product((0, 90, 180, -90), (False, True))])
def test_pictures_come_upright_however_the_phone_was_held(tmp_path, degrees, mirrored):
    video = open_video(write_video(tmp_path / "a.mp4", [corners()] * 3, turn=(degrees, mirrored)))
    # PyAV: turned counterclockwise, then mirrored.
    upright = Image.fromarray(corners()).rotate(degrees, expand=True)
    upright = upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else upright
    rgb = next(iter(video)).rgb
    assert video.image_size_px == upright.size
    # Colors blur where quarters meet.
    assert np.quantile(np.abs(rgb.astype(int) - np.asarray(upright)), 0.9) < 12


def assert_in_time(pictures: list[tuple[float, int]], taken: np.ndarray, fps: float, off_s: float = 1e-9) -> None:
    """Every picture is taken at most half an interval after its time, and there is no newer one before that time."""
    for time_s, n in pictures:
        assert taken[n] <= time_s + 0.5 / fps + off_s
        assert taken[n] >= taken[taken <= time_s - 0.5 / fps - off_s].max(initial=-np.inf)


def test_a_variable_frame_rate_becomes_constant_and_says_so(tmp_path):
    times_ms = [0, 33, 67, 100, 200, 300, 310, 333, 367, 400, 433]
    video = open_video(write_video(tmp_path / "a.mkv", map(gray, range(len(times_ms))), times_ms=times_ms))
    pictures = list(video)
    assert any("variable frame rate (10 to 100 ms" in note for note in video.notes) and len(video.notes) == 1
    assert 29 < video.fps < 31
    assert len(pictures) == video.num_frames
    shown = [number(p.rgb) for p in pictures]
    assert_in_time([(p.time_s, n) for p, n in zip(pictures, shown, strict=True)], np.array(times_ms) / 1000, video.fps)
    assert [p.repeated for p in pictures[1:]] == [a == b for a, b in itertools.pairwise(shown)]


@given(st.lists(st.floats(0.001, 0.3), min_size=1, max_size=40), st.sampled_from([24.0, 30.0, 60.0]))
def test_a_constant_rate_has_every_moment_once_with_a_picture_in_time(intervals, fps):
    taken = np.concatenate([[0.0], np.cumsum(intervals)])
    notes = []
    shown = list(at_constant_rate(((5 + t, np.array(k)) for k, t in enumerate(taken)), fps, notes))
    assert [p.index for p in shown] == list(range(len(shown)))
    assert shown[-1].time_s == pytest.approx(taken[-1], abs=0.5 / fps + 1e-6)
    numbers = [int(p.rgb) for p in shown]
    assert_in_time([(p.time_s, n) for p, n in zip(shown, numbers, strict=True)], taken, fps)
    assert [p.repeated for p in shown[1:]] == [a == b for a, b in itertools.pairwise(numbers)]
    assert bool(notes) == (numbers != list(range(len(taken))))


def test_a_clock_that_jumps_leaves_no_hole():
    times = [0.0, 0.1, 0.2, 5000.0, 5000.1, 0.0, 0.1]
    shown = list(at_constant_rate(iter((t, np.array(k)) for k, t in enumerate(times)), 10.0, []))
    assert [int(p.rgb) for p in shown] == list(range(7))


def test_a_given_rate_is_taken_whatever_the_file_says(tmp_path):
    path = write_video(tmp_path / "a.mkv", map(gray, range(6)), times_ms=[0, 10, 300, 310, 320, 900])
    video = open_video(path, fps=120)
    assert [number(p.rgb) for p in video] == list(range(6))
    assert (video.fps, video.num_frames) == (120, 6)


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        file.mux(stream.encode(sound))
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def nonsense(path: Path) -> Path:
    path.write_bytes(b"no video" * 500)
    return path


def empty_folder(path: Path) -> Path:
    path.mkdir()
    return path


def cut_short(path: Path) -> Path:
    whole = write_video(path, map(gray, range(20))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (empty, "a.mp4", "an empty file"),
        (nonsense, "a.mp4", "must be a video that FFmpeg can read"),
        (cut_short, "a.mp4", "must be a video that FFmpeg can read"),
        (write_sound, "a.wav", "must have a video stream. Received: audio"),
        (empty_folder, "pictures", "the folder must hold pictures"),
    ],
)
def test_what_is_no_video_is_said_in_one_line(tmp_path, make, name, said):
    path = make(tmp_path / name)
    with pytest.raises(ValueError, match=said) as caught:
        open_video(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_an_impossible_rate_are_said():
    with pytest.raises(FileNotFoundError, match="nowhere.mp4: file not found"):
        open_video("nowhere.mp4")
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="fps must be"):
            open_video("nowhere.mp4", fps=fps)


def times_of_mp4_to_zero(path: Path) -> None:
    """Makes each sample last 0 in the table of times (stts): version, number of entries, (count, duration)s."""
    content = bytearray(path.read_bytes())
    at = content.index(b"stts") + 8
    for entry in range(int.from_bytes(content[at : at + 4], "big")):
        content[at + 8 + 8 * entry : at + 12 + 8 * entry] = bytes(4)
    path.write_bytes(content)


def test_a_video_whose_pictures_all_come_at_once_requires_a_rate(tmp_path):
    path = write_video(tmp_path / "a.mp4", map(gray, range(8)))
    times_of_mp4_to_zero(path)
    try:
        video = open_video(path)
    except ValueError as error:
        assert "0 frames per second" in str(error) and "--fps" in str(error)
    else:
        pytest.fail(f"read as {video.fps} frames per second")
    assert [number(p.rgb) for p in open_video(path, fps=30)] == list(range(8))


def test_a_file_that_is_broken_in_the_middle_is_read_to_its_end(tmp_path):
    path = write_video(tmp_path / "a.mkv", map(gray, range(30)))
    with av.open(str(path)) as file:
        packet = list(file.demux(video=0))[15]
        payload = bytes(packet)
    content = path.read_bytes()
    assert content.count(payload) == 1
    path.write_bytes(content.replace(payload, bytes(len(payload))))
    video = open_video(path)
    pictures = list(video)
    assert [p.index for p in pictures] == list(range(30))
    assert sum(p.repeated for p in pictures) >= 1
    assert any("cannot be decoded" in note for note in video.notes)


def test_of_a_file_that_is_cut_short_what_is_there_is_read(tmp_path):
    # A format for broadcast, which can be read from any place to any other.
    path = write_video(tmp_path / "a.ts", map(gray, range(30)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    pictures = list(open_video(path))
    shown = [number(p.rgb) for p in pictures]
    assert shown == list(range(len(shown))) and 3 < len(shown) < 30


def test_of_a_file_whose_index_promises_more_what_is_there_is_read(tmp_path):
    path = tmp_path / "a.mp4"
    write_video(path, map(gray, range(30)), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    video = open_video(path)
    shown = [number(p.rgb) for p in video]
    assert shown == list(range(len(shown))) and 3 < len(shown) < 30
    assert video.notes == [f"the file ends after {len(shown)} of 30 pictures; check that it is complete"]


def test_a_folder_of_pictures_is_read_in_the_order_of_its_numbers(tmp_path):
    for n in (10, 2, 1):
        Image.fromarray(gray(n)).save(tmp_path / f"frame_{n}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    video = open_video(tmp_path)
    assert [number(p.rgb) for p in video] == [1, 2, 10]
    assert video.fps == 30 and "30 per second are assumed" in video.notes[0]
    assert open_video(tmp_path, fps=12).notes == []


def test_a_photo_that_was_taken_turned_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned a quarter clockwise.
    Image.fromarray(corners()).save(tmp_path / "a.png", exif=exif)
    video = open_video(tmp_path, fps=1)
    np.testing.assert_array_equal(next(iter(video)).rgb, np.rot90(corners(), -1))
    assert video.image_size_px == (HEIGHT, WIDTH)


def test_bad_pictures_are_named(tmp_path):
    Image.fromarray(gray(1)).save(tmp_path / "1.png")
    Image.fromarray(gray(1)[:20]).save(tmp_path / "2.png")
    with pytest.raises(ValueError, match="2.png: all pictures .* must have the same size. Received: 64 x 20 pixels"):
        list(open_video(tmp_path))
    (tmp_path / "2.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="2.png: the file must be a picture"):
        list(open_video(tmp_path))


def test_reading_ahead_stays_a_few_pictures_ahead():
    made = itertools.count()
    pictures = read_ahead((0.0, next(made)) for _ in range(10_000))
    for _ in range(50):
        _, taken = next(pictures)
    # One waits to be put, and one more may just have been counted.
    assert next(made) - taken <= 8
    pictures.close()


def test_what_goes_wrong_while_reading_ahead_is_raised_to_the_reader():
    def pictures():
        yield 0.0, 1
        raise ValueError("a broken picture")

    taken = []
    with pytest.raises(ValueError, match="a broken picture"):
        for _, picture in read_ahead(pictures()):
            taken.append(picture)
    assert taken == [1]


@pytest.mark.parametrize("ahead", [read_ahead, newest])
def test_leaving_early_closes_the_source(ahead):
    closed = threading.Event()

    def pictures():
        try:
            for n in itertools.count():
                yield float(n), n
        finally:
            closed.set()

    reading = ahead(pictures())
    next(reading)
    reading.close()
    assert closed.is_set()
    assert not any(thread.name == "pictures" for thread in threading.enumerate())


def test_a_slow_reader_of_a_camera_sees_the_newest_picture_and_not_the_queue():
    looking, went_on = threading.Event(), threading.Event()

    def pictures():
        yield 0.0, 0
        looking.wait(10)
        for n in range(1, 100):
            if n == 81:
                went_on.set()
            yield float(n), n

    reading = newest(pictures())
    assert next(reading) == (0.0, 0)
    looking.set()
    went_on.wait(10)
    later = [n for _, n in reading]
    assert later[0] >= 79 and later == sorted(later)
    assert later[-1] == 99, "the last one is never dropped"


def test_a_camera_gives_a_constant_rate_of_its_pictures():
    # FFmpeg's test source is a device like a webcam. It ends after a second.
    camera = Webcam("webcam:test", "testsrc2=size=96x64:rate=20:duration=1", "lavfi", None)
    assert (camera.image_size_px, camera.fps) == ((96, 64), 20)
    stamped = list(camera.stamped())
    # The first one is taken to see the size.
    assert len(stamped) == 19 and stamped[0][1].shape == (64, 96, 3)
    assert all(a <= b for (a, _), (b, _) in itertools.pairwise(stamped))


@pytest.mark.parametrize("name", ["webcam:", "webcam:front", "webcam:93"])
def test_a_camera_that_is_not_there_is_said(name):
    with pytest.raises(ValueError, match=name) as caught:
        connect(name, None)
    assert "\n" not in str(caught.value)
