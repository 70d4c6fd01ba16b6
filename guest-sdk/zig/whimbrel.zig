//! Database migrations in Zig that run as sandboxed WebAssembly components in whimbrel.
//!
//! ```zig
//! const whimbrel = @import("whimbrel");
//! pub const panic = whimbrel.panic;
//! pub fn up(tx: *whimbrel.Tx, ctx: *const whimbrel.Context) !void { … }
//! comptime { whimbrel.exportMigration(@This()); }
//! ```

const std = @import("std");
const host = @import("host.zig");
const packed_rows = @import("packed.zig");
const rows = @import("rows.zig");

pub const Batch = packed_rows.Batch;
pub const Builder = packed_rows.Builder;
pub const Cell = packed_rows.Cell;
pub const Column = packed_rows.Column;
pub const optionalInteger = packed_rows.optionalInteger;
pub const optionalText = packed_rows.optionalText;

pub const Context = rows.Context;
pub const Failure = rows.Failure;
pub const Out = rows.Out;
pub const Row = rows.Row;
pub const Words = rows.Words;
pub const apply = rows.apply;

pub const Level = host.Level;
pub const Rows = host.Rows;
pub const Savepoint = host.Savepoint;
pub const SqlError = host.SqlError;
pub const Statement = host.Statement;
pub const Tx = host.Tx;
pub const Writer = host.Writer;
pub const allocator = host.allocator;
pub const exportMigration = host.exportMigration;
pub const exportTransform = host.exportTransform;
pub const exportVerify = host.exportVerify;
pub const log = host.log;
pub const progress = host.progress;

/// Puts a panic's words into the log: `pub const panic = whimbrel.panic;` in the file with the exports.
pub const panic = std.debug.FullPanic(host.panicFn);
