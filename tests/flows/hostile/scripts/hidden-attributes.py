def up(db, ctx):
    db.execute("UPDATE customer SET age = 1")
    attempts = [
        lambda: ().__class__.__mro__[1].__subclasses__(),
        lambda: ().__class__.__base__.__subclasses__(),
        lambda: type(()).__mro__[-1].__subclasses__(),
        lambda: object.__subclasses__(),
        lambda: getattr(getattr((), "__class__"), "__bases__")[0].__subclasses__(),
        lambda: up.__globals__["__builtins__"]["__import__"]("os"),
        lambda: up.__code__.co_consts,
        lambda: up.__closure__[0].cell_contents,
        lambda: db.execute.__self__.__globals__,
        lambda: db.savepoint.__func__.__globals__["native"],
        lambda: db.__init__.__globals__,
        lambda: db.query.__code__,
        lambda: ctx.__class__.__init__.__globals__,
        lambda: __builtins__["open"]("/etc/passwd"),
        lambda: __import__("os").system("id"),
        lambda: __import__("whimbrel").__loader__,
        lambda: __loader__.load_module("os"),
        lambda: __spec__.loader,
        lambda: globals()["__builtins__"],
        lambda: vars()["db"].__dict__["native"],
        lambda: "{0.__class__.__mro__}".format(()),
        lambda: "{0.__globals__}".format(up),
        lambda: eval("open('/etc/passwd')"),
        lambda: exec("import os; os.listdir('/')"),
        lambda: compile("1", "x", "eval"),
        lambda: open("/etc/passwd").read(),
        lambda: breakpoint(),
        lambda: input(),
        lambda: setattr(str, "upper", None),
        lambda: delattr(type(db), "savepoint"),
        lambda: (lambda: 1).__globals__,
        lambda: ValueError("x").__traceback__.tb_frame.f_globals,
        lambda: (x for x in [1]).gi_frame.f_back.f_globals,
    ]
    done = []
    for number, attempt in enumerate(attempts):
        try:
            attempt()
        except Exception:
            continue
        done.append(number)
    raise ValueError(f"done: {done}")
