/** Why a statement failed. `code` is one of an open set: denied, limit, constraint-unique, busy, … */
export class SqlError extends Error {
  constructor(payload) {
    const native = payload.native === "" ? "" : ` (${payload.native})`;
    const row = payload.row ?? null;
    super(`${payload.message}${native}${row === null ? "" : `, row ${row} of the batch`}`);
    this.name = "SqlError";
    this.code = payload.code;
    this.native = payload.native;
    this.row = row;
    this.offset = payload.offset ?? null;
    this.details = new Map(payload.details);
  }

  /** Something was asked for that was not granted. */
  get isDenied() {
    return this.code === "denied";
  }

  /** A limit of the host was reached. */
  get isLimit() {
    return this.code === "limit";
  }

  /** A constraint of the database failed. */
  get isConstraint() {
    return this.code.startsWith("constraint");
  }

  /** The database failed in another way. */
  get isDatabase() {
    return !this.isDenied && !this.isLimit && !this.isConstraint;
  }
}

/** Calls the host; what it throws becomes a SqlError. */
export function ask(action) {
  try {
    return action();
  } catch (error) {
    if (error?.payload?.code !== undefined) throw new SqlError(error.payload);
    throw error;
  }
}
