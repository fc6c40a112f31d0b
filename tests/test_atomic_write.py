"""Files are whole or as they were."""

import pytest

from skelgnn_tf.atomic_write import atomic_write


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    file = tmp_path / "new" / "scores.json"
    with atomic_write(file) as beside:
        assert beside.parent == file.parent and beside.suffix == ".json"
        beside.write_text("all of it")
        assert not file.exists()
    assert file.read_text() == "all of it" and list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_stands_and_nothing_beside_it(tmp_path, error):
    file = tmp_path / "scores.json"
    file.write_text("old")
    with pytest.raises(type(error)), atomic_write(file) as beside:
        beside.write_text("ha")
        raise error
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]
