from whimbrel import log

def up(db):
    log.info("x" * 100000000)
