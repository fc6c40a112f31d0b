"""Rendered files, read back by Pillow, PyAV and an HTML parser. Frames are never kept."""

import base64
import json
import shutil
import struct
import subprocess
import weakref
from html.parser import HTMLParser

import av
import numpy as np
import pytest
from PIL import Image, ImageColor, ImageSequence
from rich.console import Console

from skelgnn_tf.rendering.figure import LEFT, RIGHT, SHADOW, pale
from skelgnn_tf.rendering.movie import check_render_suffix, render
from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.skeletons import H36M_17
from support.scenes import CAMERA, SIZE_PX, standing

FRAMES, FPS = 25, 25.0


def scene(frames=FRAMES, fps=FPS, **changes):
    """A person who sinks slowly and is not seen in frame 3."""
    pose = CAMERA.to_camera(standing(frames) - np.linspace(0, 0.4, frames)[:, None, None] * (0, 0, 1))
    keypoints = np.concatenate([CAMERA.project(pose), np.ones((frames, 17, 1))], axis=-1)
    if frames > 3:
        pose[3], keypoints[3, :, 2] = np.nan, 0
    captions = tuple((f"squat {i // 10}", "1 repetition") for i in range(frames))
    return Scene(
        **{
            "title": "take <one> </script>", "fps": fps, "image_size_px": SIZE_PX, "skeleton": H36M_17,
            "keypoints_px": keypoints, "pose_m": pose, "captions": captions, **changes,
        }
    )  # fmt: skip


def pictures(count, alive=None):
    """Pictures of growing brightness. `alive` receives the number of pictures that exist when the next is made."""
    made = []
    for i in range(count):
        picture = np.full((100, 100, 3), 100 + i, np.uint8)
        if alive is not None:
            made.append(weakref.ref(picture))
            alive.append(sum(one() is not None for one in made))
        yield picture
        del picture


@pytest.mark.parametrize(("fps", "step"), [(25.0, 2), (30.0, 3), (59.94, 5), (10.0, 1)])
def test_a_gif_takes_as_long_as_the_clip(tmp_path, fps, step):
    path = render(scene(fps=fps), tmp_path / "new" / "out.gif", pictures(FRAMES))
    with Image.open(path) as gif:
        durations_ms = [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]
        assert gif.info["loop"] == 0
    assert len(durations_ms) == len(range(0, FRAMES, step))
    assert sum(durations_ms) == pytest.approx(len(durations_ms) * step / fps * 1000, abs=6)
    assert [file.name for file in path.parent.iterdir()] == ["out.gif"]


def test_a_gif_shows_each_frames_picture_next_to_a_rotating_skeleton(tmp_path):
    path = render(scene(), tmp_path / "out.gif", pictures(FRAMES))
    with Image.open(path) as gif:
        frames = [np.asarray(frame.convert("RGB"), int) for frame in ImageSequence.Iterator(gif)]
    for i, frame in enumerate(frames):
        assert abs(frame[10, 10] - (100 + 2 * i)).max() <= 3
        # The drawing has its own colors, not those chosen for the picture.
        for color in (LEFT, RIGHT):
            near = np.abs(frame[:, 480:] - ImageColor.getrgb(color)).max(axis=-1) < 8
            assert near.sum() > 200
    assert (frames[4][:, 480:] != frames[8][:, 480:]).any()


def test_an_mp4_has_every_frame_at_the_clips_rate(tmp_path):
    path = render(scene(fps=30000 / 1001), tmp_path / "out.mp4", pictures(FRAMES))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate.numerator, stream.average_rate.denominator) == (30000, 1001)
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(stream)]
    assert len(frames) == FRAMES
    for i in (0, 12, 24):
        assert abs(frames[i][10, 10] - (100 + i)).max() <= 6
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(("frames", "shown"), [(25, 8), (3, 3), (1, 1)])
def test_a_contact_sheet_shows_frames_that_lie_evenly(tmp_path, frames, shown):
    drawn = np.unique(np.round(np.linspace(0, frames - 1, shown))).astype(int)
    sheet = np.asarray(Image.open(render(scene(frames), tmp_path / "out.png", pictures(frames))), int)
    corners = {value - 100 for value in range(100, 100 + frames) if (sheet == value).all(axis=-1).sum() > 20000}
    assert corners == set(drawn.tolist())


@pytest.mark.parametrize("name", ["out.gif", "out.mp4", "out.png"])
def test_no_picture_is_kept(tmp_path, name):
    alive = []
    render(scene(), tmp_path / name, pictures(FRAMES, alive), Console(quiet=True))
    assert len(alive) >= FRAMES - 1 and max(alive) <= 3


@pytest.mark.parametrize("name", ["out.gif", "out.png"])
def test_too_few_pictures_are_said_and_leave_no_file(tmp_path, name):
    with pytest.raises(ValueError, match="one entry for each of the 25 frames. Received: fewer"):
        render(scene(), tmp_path / name, pictures(FRAMES - 1))
    assert not list(tmp_path.iterdir())
    render(scene(), tmp_path / name, pictures(FRAMES + 5))


def test_other_files_are_refused_before_the_work(tmp_path):
    with pytest.raises(ValueError, match=r"out.avi: the suffix must be one of .gif, .mp4, .png, .html. Received: .avi"):
        check_render_suffix("out.avi")
    with pytest.raises(ValueError, match="Received: no suffix"):
        render(scene(), tmp_path / "out")


class Page(HTMLParser):
    """A page's script, text and whatever it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.fetched, self.tags, self._in_script = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._in_script = tag == "script"
        self.fetched += [value for name, value in attributes if name in ("src", "href", "srcset")]

    def handle_endtag(self, tag):
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)


def data_of(script):
    return json.loads(script.partition("const scene = ")[2].partition(";\n")[0])


def test_a_page_holds_all_it_shows_and_fetches_nothing(tmp_path):
    shown = scene()
    text = render(shown, tmp_path / "out.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == 1 and not page.fetched
    assert not any(word in text for word in ("http:", "https:", "//cdn", "@import", "url("))
    data = data_of("".join(page.scripts))
    assert (data["title"], data["fps"], data["frames"], data["imageSize"]) == (shown.title, FPS, FRAMES, [1000, 1000])
    pose = struct.unpack(f"<{FRAMES * 17 * 3}h", base64.b64decode(data["pose"]))
    pose = np.array(pose).reshape(FRAMES, 17, 3)
    assert (pose[3] == -32768).all()
    seen = [t for t in range(FRAMES) if t != 3]
    # Millimeters, standing: the world's heights above the lowest joint, right and away from the root.
    world = standing(1)[0] - standing(1)[0, 0] * (1, 1, 0)
    np.testing.assert_allclose(pose[seen] / 1000, np.repeat((world - (0, 0, 0.08))[None], 24, 0), atol=0.04)
    keypoints = np.frombuffer(base64.b64decode(data["keypoints"]), "<i2").reshape(FRAMES, 17, 2)
    assert (keypoints[3] == -32768).all()
    np.testing.assert_allclose(keypoints[seen], shown.keypoints_px[seen, :, :2], atol=0.51)
    assert [tuple(data["captions"][i]) for i in data["captionOf"]] == list(shown.captions)
    assert [(bone["child"], bone["parent"]) for bone in data["figure"]["bones"]] == list(H36M_17.bones)


def ghostly(**changes):
    """The person of `scene`, whose left leg is not seen until frame 10."""
    whole = scene()
    pose = whole.pose_m.copy()
    pose[:10, [H36M_17.index(joint) for joint in ("left_knee", "left_ankle")]] = np.nan
    return scene(pose_m=pose, guess_m=whole.pose_m, **changes)


def test_a_page_knows_which_joints_were_not_seen(tmp_path):
    plain, ghost = (
        data_of("".join(Page(render(one, tmp_path / "out.html").read_text(encoding="utf-8")).scripts))
        for one in (scene(), ghostly())
    )
    assert plain["unseen"] is None and ghost["pose"] == plain["pose"]
    unseen = np.frombuffer(base64.b64decode(ghost["unseen"]), "<i2").reshape(FRAMES, 17)
    # Nobody is in frame 3.
    frames, joints = np.nonzero(unseen)
    assert set(frames) == set(range(10)) - {3}
    assert {H36M_17.joints[joint] for joint in joints} == {"left_knee", "left_ankle"} and unseen.max() == 1


STUB = """
const strokes = [], elements = {}, listeners = {};
const context = new Proxy({}, {
  get: (kept, name) => name in kept ? kept[name] : name === "stroke" ? () => strokes.push(kept.strokeStyle) : () => {},
  set: (kept, name, value) => { kept[name] = value; return true; },
});
const element = (id) => elements[id] ??= {
  value: id === "speed" ? "1" : "0", getContext: () => context,
  getBoundingClientRect: () => ({ width: 400, height: 300 }), setPointerCapture() {}, hasPointerCapture: () => true,
  style: { setProperty() {} },
  replaceChildren(...lines) { this.lines = lines.map((line) => line.textContent); },
  addEventListener(name, act) { listeners[`${id} ${name}`] = act; },
};
const document = { getElementById: element, createElement: () => ({}), addEventListener() {}, body: {} };
const window = { devicePixelRatio: 1, addEventListener() {} };
let waiting = null, nowMs = 0;
const performance = { now: () => nowMs }, requestAnimationFrame = (act) => { waiting = act; };
"""
PLAY = """
const seen = { colors: [...new Set(strokes)], first: elements.clock.textContent };
listeners["play click"]();
for (nowMs of [0, 400, 480]) { const act = waiting; waiting = null; act(nowMs); }
seen.played = elements.clock.textContent; seen.button = elements.play.textContent;
seen.captions = elements.captions.lines;
elements.time.value = "3"; listeners["time input"]();
seen.moved = elements.clock.textContent;
strokes.length = 0; listeners["turn pointermove"]({ pointerId: 1, movementX: 5, movementY: 5 });
seen.turned = strokes.length;
console.log(JSON.stringify(seen));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_pages_script_plays_moves_and_turns(tmp_path):
    script = "".join(Page(render(scene(), tmp_path / "out.html").read_text(encoding="utf-8")).scripts)
    (tmp_path / "page.js").write_text(STUB + script + PLAY, encoding="utf-8")
    ran = subprocess.run(["node", tmp_path / "page.js"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert {"#E0662B", "#1F6FB2", "#3A3F4B"} <= set(seen["colors"])
    assert (seen["first"], seen["button"]) == ("0.00 s · frame 0", "Pause")
    # 0.48 s at 25 frames per second.
    assert (seen["played"], seen["captions"]) == ("0.48 s · frame 12", ["squat 1", "1 repetition"])
    assert seen["moved"] == "0.12 s · frame 3" and seen["turned"] > 0


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_pages_script_draws_ghosts_while_joints_are_not_seen(tmp_path):
    script = "".join(Page(render(ghostly(), tmp_path / "out.html").read_text(encoding="utf-8")).scripts)
    ask = """
const colors = {};
for (const frame of [0, 12]) {
  strokes.length = 0; elements.time.value = String(frame); listeners["time input"](); colors[frame] = [...strokes];
}
console.log(JSON.stringify({ colors, legend: elements.guessed.textContent }));
"""
    (tmp_path / "page.js").write_text(STUB + script + ask, encoding="utf-8")
    ran = subprocess.run(["node", tmp_path / "page.js"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    # Thigh and shank.
    assert [seen["colors"][frame].count(pale(LEFT)) for frame in ("0", "12")] == [2, 0]
    assert [seen["colors"][frame].count(SHADOW) for frame in ("0", "12")] == [14, 16]
    assert "not seen" in seen["legend"]


def test_keypoints_without_poses_make_a_page_and_a_picture(tmp_path):
    plain = scene(pose_m=None, captions=())
    data = data_of("".join(Page(render(plain, tmp_path / "out.html").read_text(encoding="utf-8")).scripts))
    assert data["pose"] is None and data["captionOf"] == []
    assert Image.open(render(plain, tmp_path / "out.png")).size[0] > 400
