"""What comes out of files that people really have, and of those that attackers make."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.imports.csv_file import LONGEST_LINE, BadFile, Fault, Record, records


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "readers.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def cells(file: Path, encoding: str = "") -> list[list[str]]:
    return [item.cells for item in records(file, encoding) if isinstance(item, Record)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_common_dialect_is_understood(tmp_path: Path, delimiter: str, line_end: str, mark: str) -> None:
    file = write(tmp_path, mark + line_end.join([f"email{delimiter}name", f"ada@example.com{delimiter}Ada", ""]))

    assert cells(file) == [["email", "name"], ["ada@example.com", "Ada"]]


def test_a_spreadsheet_may_name_its_delimiter_in_the_first_line(tmp_path: Path) -> None:
    file = write(tmp_path, "sep=;\nemail;name\nada@example.com;Ada\n")

    assert list(records(file)) == [Record(2, ["email", "name"]), Record(3, ["ada@example.com", "Ada"])]


def test_a_file_in_another_encoding_names_the_line_and_the_way_out(tmp_path: Path) -> None:
    file = write(tmp_path, "email,name\nada@example.com,Ada\nzoe@example.com,Zoë\n".encode("windows-1252"))

    with pytest.raises(BadFile, match=r"Line 3 is not UTF-8 \(byte 0xEB\).*--encoding windows-1252"):
        cells(file)
    assert cells(file, "windows-1252")[2] == ["zoe@example.com", "Zoë"]


def test_utf_16_is_recognised_and_read_when_asked(tmp_path: Path) -> None:
    file = write(tmp_path, "email;name\nzoe@example.com;Zoë\n".encode("utf-16"))

    with pytest.raises(BadFile, match="UTF-16"):
        cells(file)
    assert cells(file, "utf-16")[1] == ["zoe@example.com", "Zoë"]


@pytest.mark.parametrize(
    ("content", "encoding", "sentence"),
    [
        (b"PK\x03\x04rest of a workbook", "", "spreadsheet"),
        (b"email\n", "klingon", "no encoding we know"),
        (b"email\n", "base64", "no encoding we know"),
    ],
)
def test_what_is_no_csv_file_is_told_in_a_sentence(
    tmp_path: Path, content: str | bytes, encoding: str, sentence: str
) -> None:
    with pytest.raises(BadFile, match=sentence):
        cells(write(tmp_path, content), encoding)


def test_a_quotation_mark_that_never_closes_costs_its_own_line_only(tmp_path: Path) -> None:
    lines = ["email,name", 'ada@example.com,"Ada', *(f"reader{n}@example.com,R" for n in range(50))]
    found = list(records(write(tmp_path, "\n".join(lines))))

    faults = [item for item in found if isinstance(item, Fault)]
    assert [(fault.line, fault.text) for fault in faults] == [(2, 'ada@example.com,"Ada')]
    assert [item.line for item in found] == list(range(1, 53))


def test_a_cell_over_two_lines_is_one_record(tmp_path: Path) -> None:
    found = list(records(write(tmp_path, 'email,name\nada@example.com,"Ada\nLovelace"\nken@example.com,Ken\n')))

    assert found[1:] == [Record(2, ["ada@example.com", "Ada\nLovelace"]), Record(4, ["ken@example.com", "Ken"])]


def test_a_nul_byte_a_long_cell_and_a_long_line_are_refused_alone(tmp_path: Path) -> None:
    lines = [
        "email,name",
        "a\0da@example.com,A",
        "b@example.com," + "b" * 1001,
        "c" * LONGEST_LINE * 3,
        "d@example.com,D",
    ]
    found = list(records(write(tmp_path, "\n".join(lines))))

    assert [type(item) for item in found] == [Record, Fault, Fault, Fault, Record]
    sentences = " ".join(item.sentence for item in found if isinstance(item, Fault))
    assert "NUL" in sentences
    assert "1,000 characters" in sentences
    assert "64 kB" in sentences
    assert found[4] == Record(5, ["d@example.com", "D"])


@given(st.binary(max_size=4000))
def test_whatever_the_bytes_every_line_ends_as_record_fault_or_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)

    try:
        found = list(records(file))
    except BadFile:
        return
    numbers = [item.line for item in found]
    assert numbers == sorted(set(numbers))


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=30)


@given(st.lists(st.lists(_CELL, min_size=2, max_size=4), min_size=1, max_size=30))
def test_what_a_spreadsheet_writes_comes_back_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    import csv

    file = tmp_path_factory.getbasetemp() / "round.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["email", "name"], *rows])

    found = list(records(file))
    if not any(isinstance(item, Fault) for item in found):  # a cell of more than twenty lines is refused
        assert cells(file)[1:] == [row for row in rows if any(row)]


_READ = """
import re, sys, time
from pathlib import Path
from newsletter.imports.csv_file import records, Fault
began = time.monotonic()
found = list(records(Path(sys.argv[1])))
print(sum(isinstance(item, Fault) for item in found), len(found), time.monotonic() - began,
      int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.parametrize("beginning", [b"", b"email,name\nada@example.com,Ada\n", b'email,name\nada@example.com,"'])
def test_a_line_of_100_megabytes_is_passed_over_in_no_time_and_no_memory(tmp_path: Path, beginning: bytes) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as stream:
        stream.write(beginning)
        for _ in range(100):
            stream.write(b"x" * 1_000_000)

    done = subprocess.run([sys.executable, "-c", _READ, file], capture_output=True, text=True, check=True)
    faults, _, seconds, megabytes = done.stdout.split()

    assert int(faults) == 1
    assert float(seconds) < 5
    assert int(megabytes) < 200
