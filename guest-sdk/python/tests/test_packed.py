"""The codec against the vectors beside the contract."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from whimbrel_guest import Context, Row, RowOut, transform_rows
from whimbrel_guest.packed import Batch, BatchBuilder, CheckedBatch, Column, MalformedBatch

VECTORS = json.loads((Path(__file__).parents[2] / "wit" / "packed-vectors.json").read_text("utf-8"))


def read(raw: dict[str, Any]) -> Batch:
    columns = [
        Column(each["kind"], *(bytes.fromhex(each[part]) for part in ("tags", "words", "heap")))
        for each in raw["columns"]
    ]
    return Batch(raw["rows"], columns)


def shown(batch: CheckedBatch, row: int, column: int) -> dict[str, Any]:
    cell = batch.cell(row, column)
    if cell is None:
        return {"null": True}
    if isinstance(cell, bool):
        return {"boolean": cell}
    if isinstance(cell, int):
        return {"integer": str(cell)}
    if isinstance(cell, float):
        return {"real": struct.pack("<d", cell)[::-1].hex()}
    return {"text": cell} if isinstance(cell, str) else {"blob": cell.hex()}


def test_there_are_vectors() -> None:
    assert len(VECTORS["valid"]) >= 10 and len(VECTORS["malformed"]) >= 20


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
def test_reads_and_writes(vector: dict[str, Any]) -> None:
    expected = read(vector["batch"])
    checked = CheckedBatch(expected)
    builder = BatchBuilder(len(expected.columns))
    for row, cells in enumerate(vector["rows"]):
        assert [shown(checked, row, column) for column in range(len(cells))] == cells
        for column in range(len(cells)):
            builder.copy(column, checked, row, column)
    for column in range(len(expected.columns)):
        assert len(checked.cells(column)) == checked.rows
    if vector["canonical"]:
        for written, wanted in zip(builder.finish().columns, expected.columns, strict=True):
            parts = ("kind", "tags", "words", "heap")
            assert [getattr(written, part) for part in parts] == [getattr(wanted, part) for part in parts]


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_refuses(vector: dict[str, Any]) -> None:
    with pytest.raises(MalformedBatch) as found:
        CheckedBatch(read(vector["batch"]))
    assert (found.value.reason, found.value.column, found.value.row) == (
        vector["reason"],
        vector["column"],
        vector["row"],
    )


def test_rows_are_read_by_name_and_integers_are_exact() -> None:
    def each(row: Row, out: RowOut, ctx: Context) -> None:
        assert row.is_null("nothing") and row["nothing"] is None
        with pytest.raises(TypeError, match="column nothing: expected a text, found NULL"):
            row.text("nothing")
        with pytest.raises(KeyError, match="the query has no column nobody, only id, nothing"):
            row.text("nobody")
        out.set("nothing", row.integer("ID") + 1)

    rows = transform_rows(each, [[2**53 + 1, None]], read=["id", "nothing"], write=["id", "nothing"])
    assert rows == [[2**53 + 1, 2**53 + 2]]


def test_what_cannot_be_stored_is_refused() -> None:
    builder = BatchBuilder(1)
    with pytest.raises(OverflowError):
        builder.push(0, 2**63)
    with pytest.raises(TypeError):
        builder.push(0, object())  # type: ignore[arg-type]
