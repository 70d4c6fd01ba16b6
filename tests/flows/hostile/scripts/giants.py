"x" * 10 ** 12
b"x" * 10 ** 12
[0] * 10 ** 12
(0,) * 10 ** 12
('x' * 1000000) * 1000000
bytes(10 ** 12)
bytearray(10 ** 12)
list(range(10 ** 12))
tuple(range(10 ** 12))
set(range(10 ** 12))
{n: n for n in range(10 ** 12)}
sorted(range(10 ** 12))
list(itertools.repeat(0, 10 ** 12))
list(itertools.product(range(1000), repeat=6))
list(itertools.permutations(range(20)))
"x".ljust(10 ** 12)
"x".rjust(10 ** 12)
"x".center(10 ** 12)
"1".zfill(10 ** 12)
"\t".expandtabs(10 ** 12)
"{:>1000000000000}".format(1)
f"{1:>{10 ** 12}}"
f"{1.5:.{10 ** 12}f}"
"%1000000000000d" % 1
('x' * 1000000).replace("", ('x' * 1000000))
('x' * 1000000).join([('x' * 1000000)] * 1000)
('x' * 1000000).replace("x", ('x' * 1000000))
(1).to_bytes(10 ** 12, "big")
1 << 10 ** 12
1 << (1 << 100)
10 ** 10 ** 12
10 ** 10 ** 10
7 ** 7 ** 7 ** 7
pow(3, 10 ** 12)
int("9" * 10000000)
str(1 << 1000000000)
json.dumps([('x' * 1000000)] * 100000)
re.sub("x", ('x' * 1000000), ('x' * 1000000))
re.compile("(" * 100000 + "a" + ")" * 100000)
re.compile("((((((a{1000}){1000}){1000}){1000}){1000}){1000})")
base64.b64encode(b"x" * 10 ** 12)
[[0] * 1000 for _ in range(10 ** 12)]
(lambda rows: [rows.append(row) for row in rows])([1])
repr((lambda nest: nest(nest, 100))(lambda nest, n: [nest(nest, n - 1)] * 2 if n else 0))
max(itertools.count())
