import sys

def up(db):
    db.execute("UPDATE customer SET age = 1")
    done = []
    for name in ["os", "subprocess", "socket", "ctypes", "importlib", "builtins", "sqlite3", "pathlib", "threading", "gc"]:
        try:
            __import__(name)
            done.append(name)
        except Exception:
            pass
        try:
            sys.modules[name]
            done.append(name)
        except Exception:
            pass
    try:
        sys.exit(0)
        done.append("exit")
    except Exception:
        pass
    raise ValueError(f"done: {done}")
