

def down(db: Database, ctx: Context):
    # Undo here what `up` did.
    pass
