// Database migrations in AssemblyScript that run as sandboxed WebAssembly components in whimbrel.
export { Batch, Builder, Cell, Column } from "./packed";
export { Applied, applyTo, Context, Row, RowOut, Trouble } from "./rows";
export { Level, log, progress, Rows, Savepoint, SqlError, Statement, Tx, Writer } from "./host";
