from trim import trim


def test_trims() -> None:
    assert trim("  a b ") == "a b"
