import copy
import json

def nested(depth, wrap):
    deep = 0
    for _ in range(depth):
        deep = wrap(deep)
    return deep

def up(db):
    db.execute("UPDATE customer SET age = 1")
    wraps = [lambda x: [x], lambda x: (x,), lambda x: {"a": x}, lambda x: lambda: x]
    for wrap in wraps:
        deep, other = nested(200000, wrap), nested(200000, wrap)
        for look in [repr, str, hash, copy.deepcopy, json.dumps, lambda x: x == other, lambda x: x < other, lambda x: f"{x}",
                     lambda x: db.query("SELECT ?", [x]), print]:
            try:
                look(deep)
            except Exception:
                pass
        deep = other = None
    circle = []
    circle.append(circle)
    pair = {"a": circle}
    circle.append(pair)
    for look in [repr, copy.deepcopy, json.dumps, lambda x: x == [x], lambda x: db.execute("SELECT ?", [x]), print]:
        try:
            look(circle)
        except Exception:
            pass
    raise ValueError("still here")
