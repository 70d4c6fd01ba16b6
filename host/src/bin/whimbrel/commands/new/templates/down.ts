
export function down(db: Database, ctx: Context): void {
  // Undo here what `up` did.
}
