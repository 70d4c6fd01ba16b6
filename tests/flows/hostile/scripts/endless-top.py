while True:
    pass

def up(db):
    pass
