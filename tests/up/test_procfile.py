from pathlib import Path

import pytest

from newsletter.up import procfile
from newsletter.up.processes import CannotStart
from newsletter.up.supervisor import PROCFILE


def written(folder: Path, text: str) -> Path:
    path = folder / "Procfile"
    path.write_text(text)
    return path


def test_a_procfile_names_processes_and_what_runs_before_them(tmp_path: Path) -> None:
    text = "# ours\n\nrelease: newsletter migrate\nweb: gunicorn --bind 127.0.0.1:$PORT 'app:create()'\n"

    found = procfile.read(written(tmp_path, text))

    assert found.release == "newsletter migrate"
    assert found.processes == {"web": "gunicorn --bind 127.0.0.1:$PORT 'app:create()'"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("web gunicorn\n", "line 1: write “name: command”"),
        ("web: a\n\nweb: b\n", "line 3: there are two processes with the name “web”"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CannotStart, match=sentence):
        procfile.read(written(tmp_path, text))


def test_without_a_procfile_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="There is no"):
        procfile.read(tmp_path / "Procfile")


def test_ours_has_the_four_parts_of_the_product() -> None:
    ours = procfile.read(PROCFILE)

    assert ours.release == "newsletter migrate"
    assert set(ours.processes) == {"web", "worker", "beat"}
    assert "--no-control-socket" in ours.processes["web"]
