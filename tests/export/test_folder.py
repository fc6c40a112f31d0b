"""The files of an export take the place of the old ones together or not at all."""

import os

import keras
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf.export.folder import replace_files

OLD = {"contract.json": "old", "golden.json": "old", "model.tflite": "old", "model.onnx": "old"}


def write(folder, files):
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def read(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


@pytest.fixture
def places(tmp_path):
    """A finished export without model.onnx, and the folder that it goes to."""
    new = {name: "new" for name in OLD if name != "model.onnx"}
    return write(tmp_path / "new", new), write(tmp_path / "out", OLD)


def test_new_files_replace_the_old_ones_and_what_is_not_kept_goes(places):
    new, folder = places
    (folder / "model.json").write_text("of version 0.1")
    replace_files(new, folder, ["model.tflite"])
    assert read(folder) == {"contract.json": "new", "golden.json": "new", "model.tflite": "new"}


def test_a_kept_file_is_not_touched(places):
    new, folder = places
    before = (folder / "model.onnx").stat().st_ino
    replace_files(new, folder, ["model.tflite", "model.onnx"])
    assert read(folder) == {**dict.fromkeys(OLD, "new"), "model.onnx": "old"}
    assert (folder / "model.onnx").stat().st_ino == before


def test_no_contract_lies_next_to_files_of_another_export_at_any_moment(places, monkeypatch):
    """Whatever the moment of a crash: there is no contract, or all files are those that it describes."""
    new, folder = places
    seen, move = [], os.replace

    def watched(source, target):
        move(source, target)
        seen.append(read(folder))

    monkeypatch.setattr(os, "replace", watched)
    replace_files(new, folder, ["model.tflite"])
    assert len(seen) > 4
    for files in seen:
        assert "contract.json" not in files or set(files.values()) == {files["contract.json"]}, files
    assert "contract.json" not in seen[0]


@pytest.mark.parametrize("moment", range(7))
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_move_that_fails_gives_the_folder_its_old_files_back(places, monkeypatch, moment, error):
    new, folder = places
    moves, move = [], os.replace

    def failing(source, target):
        moves.append(target)
        if len(moves) == moment + 1:
            raise error("full")
        move(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(error):
        replace_files(new, folder, ["model.tflite"])
    assert read(folder) == OLD


def test_a_folder_that_was_not_there_is_not_left_behind(places, monkeypatch):
    new, folder = places

    def full(*_):
        raise OSError("full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="full"):
        replace_files(new, folder.with_name("fresh"), ["model.tflite"])
    assert not folder.with_name("fresh").exists()
