from whimbrel import log

def up(db):
    for number in range(100000):
        print(number)
        log.progress(number, 1)
    for number in range(100):
        log.error("x" * 1000000)
    raise ValueError("said it all")
