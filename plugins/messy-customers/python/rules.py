"""The rules of README.md. Pure: a text goes in, a text or integer comes out, None for NULL."""

from __future__ import annotations

import re

BLANKS = " \t\n\r\u00a0"
_APART = re.compile(f"[{BLANKS}]+")
_EMAIL = re.compile(f"[^@{BLANKS}]+@[^@{BLANKS}]+")
_BALANCE = re.compile(r"(-?)([0-9,]*[0-9][0-9,]*)(?:\.([0-9]{1,2}))?")
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def _words(text: str) -> list[str]:
    return [word for word in _APART.split(text) if word]


def name(typed: str | None) -> tuple[str | None, str | None]:
    """Split a name into first and last."""
    if typed is None:
        return None, None
    before, comma, after = typed.partition(",")
    if comma:
        return " ".join(_words(after.replace(",", " "))) or None, " ".join(_words(before)) or None
    words = _words(typed)
    if len(words) < 2:
        return " ".join(words) or None, None
    return " ".join(words[:-1]), words[-1]


def email(typed: str | None) -> str | None:
    """Bring an e-mail address into one form."""
    if typed is None:
        return None
    text = typed.strip(BLANKS).translate(_LOWER)
    return text if _EMAIL.fullmatch(text) else None


def phone(typed: str | None) -> str | None:
    """Bring a phone number into one form."""
    if typed is None:
        return None
    text = typed.strip(BLANKS)
    digits = "".join(letter for letter in text if "0" <= letter <= "9")
    plus = text.startswith("+")
    if not plus and digits.startswith("00"):
        digits, plus = digits[2:], True
    if not 5 <= len(digits) <= 15:
        return None
    return f"+{digits}" if plus else digits


def cents(typed: str | None) -> int | None:
    """Turn a balance into cents."""
    found = None if typed is None else _BALANCE.fullmatch(typed.strip(BLANKS))
    if found is None:
        return None
    value = int(found[2].replace(",", "") + ((found[3] or "") + "00")[:2])
    if value >= 2**63:
        return None
    return -value if found[1] else value
