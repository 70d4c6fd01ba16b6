def trim(text: str) -> str:
    """Return the text without spaces around it."""
    return text.strip()
