
/** @param {Database} db  @param {Context} ctx */
export function down(db, ctx) {
  // Undo here what `up` did.
}
