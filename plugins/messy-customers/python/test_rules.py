"""All cases, through the transform."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from transform import mend
from whimbrel_guest import transform_rows

READ = ["id", "full_name", "email", "phone", "balance"]
WRITE = ["first_name", "last_name", "email_key", "phone_key", "cents"]
LINES = (Path(__file__).parent.parent / "cases.tsv").read_bytes().decode("utf-8").rstrip("\n").split("\n")


def value(column: str) -> str | None:
    if column == "\\N":
        return None
    return re.sub(r"\\(.)", lambda found: {"t": "\t", "n": "\n", "r": "\r"}.get(found[1], found[1]), column)


@pytest.mark.parametrize("line", LINES)
def test_case(line: str) -> None:
    columns = [value(column) for column in line.split("\t")]
    [found] = transform_rows(mend, [[1, *columns[:4]]], read=READ, write=WRITE)
    balance = columns[8]
    assert found == [*columns[4:8], None if balance is None else int(balance)]


def test_strict_refuses_what_is_no_email_address() -> None:
    with pytest.raises(Exception, match="customer 3: not an e-mail address: ada"):
        transform_rows(mend, [[3, None, "ada", None, None]], read=READ, write=WRITE, params={"strict": "yes"})
