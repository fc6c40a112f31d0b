"""The plot of angles: sides have their colors, repetitions are shaded, and what is not seen is not drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from skelgnn_tf.rendering import angles_plot
from skelgnn_tf.rendering.angles_plot import draw_angles
from skelgnn_tf.rendering.figure import LEFT, MIDDLE, RIGHT
from support.forms import FORMS, predicted


def share(picture, color, tolerance=0.02):
    """Which pixels (rows, columns) have a color."""
    return np.abs(picture[..., :3] - np.array(to_rgb(color))).max(axis=-1) < tolerance


def drawn(tmp_path, *forms):
    return imread(draw_angles(predicted(forms), tmp_path / "angles.png"))


def panel_columns(picture, forms):
    """First and last column of the time axis, from where the shade of one repetition lies."""
    columns = np.flatnonzero(share(picture, angles_plot._COMPLETE)[:-60].sum(axis=0) > 20)
    first, last = columns[0], columns[-1] + 1
    second = (last - first) / (forms[0].end_s - forms[0].start_s)
    return first - forms[0].start_s * second, second


def test_repetitions_are_shaded_where_they_are_and_partial_ones_in_another_color(tmp_path):
    picture = drawn(tmp_path, *FORMS[:2])
    zero, second = panel_columns(picture, FORMS)
    partial = np.flatnonzero(share(picture, angles_plot._PARTIAL)[:-60].sum(axis=0) > 20)
    assert (partial[0] - zero) / second == pytest.approx(2.7, abs=0.05)
    assert (partial[-1] + 1 - zero) / second == pytest.approx(4.1, abs=0.05)


def test_both_sides_have_their_color_and_there_is_no_line_where_a_joint_is_not_seen(tmp_path):
    picture = drawn(tmp_path, *FORMS[:2])
    zero, second = panel_columns(picture, FORMS)
    hidden = slice(round(zero + 2.9 * second), round(zero + 3.9 * second))
    seen = slice(round(zero + 4.5 * second), round(zero + 7.5 * second))
    lines = picture[:-60]
    assert share(lines[:, seen], LEFT).sum() > 100 and share(lines[:, seen], RIGHT).sum() > 100
    assert share(lines[:, hidden], LEFT).sum() > 30 and share(lines[:, hidden], RIGHT).sum() == 0


def test_there_is_a_panel_for_each_measured_joint_and_for_all_without_repetitions(tmp_path):
    heights = [len(drawn(tmp_path, *forms)) for forms in (FORMS[:1], FORMS, ())]
    panel = heights[1] - heights[0]
    # Knees; knees and hips; knees, hips, elbows, shoulders and the trunk.
    assert panel > 100 and heights[2] - heights[0] == pytest.approx(4 * panel, abs=4)
    assert share(drawn(tmp_path), MIDDLE)[:-60].sum() > 100


def test_the_target_is_a_dashed_line_in_the_panel_of_depth(tmp_path):
    with_target, without = drawn(tmp_path, FORMS[0]), drawn(tmp_path, FORMS[0]._replace(target_deg=None))
    zero, second = panel_columns(with_target, FORMS)
    inside = slice(round(zero + 0.7 * second), round(zero + 2.5 * second))
    rows = [share(picture[:-60, inside], MIDDLE, 0.3).sum(axis=1).max() for picture in (with_target, without)]
    assert rows[0] > 40 > rows[1]


def test_a_file_appears_complete_or_not_at_all(tmp_path):
    with pytest.raises(ValueError, match="angles.jpg must end with .png. Received: .jpg"):
        draw_angles(predicted(), tmp_path / "angles.jpg")
    assert not list(tmp_path.iterdir())
    assert draw_angles(predicted(), tmp_path / "deep" / "angles.png").is_file()
    assert len(list((tmp_path / "deep").iterdir())) == 1
