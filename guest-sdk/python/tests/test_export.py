"""What counts as an answer of `verify`; host and handle are stand-ins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from whimbrel_guest import Context, Row, RowOut, Transaction, _host, export, export_transform

RAW = SimpleNamespace(
    chain="main", version="3", name="x", tenant=None, dry_run=False, started_at=0, seed=0, params=[("least", "2")]
)


class Err(Exception):
    """As componentize-py has it."""


class Later:
    """What a function gives that is `async`."""

    def __await__(self) -> Any:
        yield


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_host, "Err", Err)


def nothing(tx: Transaction, ctx: Context) -> None:
    pass


def each(row: Row, out: RowOut, ctx: Context) -> None:
    pass


def asked(answer: Any) -> None:
    for exported in (export(nothing, verify=lambda tx, ctx: answer), export_transform(each, verify=lambda tx, ctx: answer)):
        exported().verify(None, RAW)


@pytest.mark.parametrize("answer", [True, 1, "yes", [None]])
def test_an_answer_that_is_true_holds(answer: object) -> None:
    asked(answer)


@pytest.mark.parametrize("answer", [False, None, 0, "", []])
def test_every_other_answer_does_not_hold_and_is_shown(answer: object) -> None:
    with pytest.raises(Err) as raised:
        asked(answer)
    assert raised.value.args == (f"verify returned {answer!r}",)


def test_what_is_raised_does_not_hold_in_its_own_words() -> None:
    def check(tx: Transaction, ctx: Context) -> bool:
        raise ValueError("2 customers have no name")

    with pytest.raises(Err, match="^2 customers have no name$"):
        export(nothing, verify=check)().verify(None, RAW)


def test_an_answer_that_comes_later_is_no_answer() -> None:
    with pytest.raises(Err, match="verify is async, and nothing waits for it"):
        asked(Later())


def test_it_gets_the_transaction_and_the_context() -> None:
    handle = SimpleNamespace(dialect=lambda: "sqlite")
    exported = export(nothing, verify=lambda tx, ctx: tx.dialect == "sqlite" and ctx.param("least") == "2")
    exported().verify(handle, RAW)


@pytest.mark.parametrize(
    ("world", "verify", "told"),
    [
        (object, lambda tx, ctx: True, "the world has no verify"),
        (SimpleNamespace(verify=None), None, "the world has verify, and there is none"),
    ],
)
def test_the_world_and_what_is_exported_must_agree(
    monkeypatch: pytest.MonkeyPatch, world: Any, verify: Any, told: str
) -> None:
    monkeypatch.setattr(_host, "world", SimpleNamespace(WitWorld=world))
    with pytest.raises(TypeError, match=told):
        export(nothing, verify=verify)
    with pytest.raises(TypeError, match=told):
        export_transform(each, verify=verify)


def test_rows_that_were_never_sent_fail_the_migration() -> None:
    sent: list[int] = []

    def execute_batch(batch: Any) -> int:
        sent.append(batch.rows)
        return int(batch.rows)

    statement = SimpleNamespace(execute_batch=execute_batch)
    handle = SimpleNamespace(prepare=lambda sql: statement)

    def leaves(tx: Transaction, ctx: Context) -> None:
        writer = tx.prepare("INSERT INTO t VALUES (?)").writer()
        for number in range(3):
            writer.row(number)

    def sends(tx: Transaction, ctx: Context) -> None:
        with tx.prepare("INSERT INTO t VALUES (?)").writer() as writer:
            writer.row(1)

    for _ in range(2):
        with pytest.raises(Err, match="^a writer was left with 3 rows that were never sent: call finish$"):
            export(leaves)().up(handle, RAW)
    export(sends, leaves)().up(handle, RAW)
    assert sent == [1]
