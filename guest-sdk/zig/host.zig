//! The host: the transaction, statements, the log, and the exports of a component. The canonical ABI by hand.

const std = @import("std");
const packed_rows = @import("packed.zig");
const rows_zig = @import("rows.zig");
const Batch = packed_rows.Batch;
const Builder = packed_rows.Builder;
const Cell = packed_rows.Cell;
const Column = packed_rows.Column;
const Context = rows_zig.Context;
const Row = rows_zig.Row;

const batch_rows = 1024;
const batch_bytes = 1 << 20;

/// Where memory comes from inside a component.
pub const allocator = std.heap.wasm_allocator;

const sql = struct {
    const module = "whimbrel:migration/sql@0.1.0";
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]transaction.execute"(u32, [*]const u8, usize, [*]const Value, usize, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]transaction.query"(u32, [*]const u8, usize, [*]const Value, usize, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]transaction.prepare"(u32, [*]const u8, usize, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]transaction.open-savepoint"(u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]transaction.dialect"(u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]cursor.columns"(u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]cursor.next-batch"(u32, u32, u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]statement.execute"(u32, [*]const Value, usize, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]statement.execute-batch"(u32, u32, [*]const RawColumn, usize, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]savepoint.release"(u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[method]savepoint.rollback"(u32, *Area) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[resource-drop]transaction"(u32) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[resource-drop]cursor"(u32) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[resource-drop]statement"(u32) void;
    extern "whimbrel:migration/sql@0.1.0" fn @"[resource-drop]savepoint"(u32) void;
};

const host_log = struct {
    extern "whimbrel:migration/log@0.1.0" fn write(u32, [*]const u8, usize) void;
    extern "whimbrel:migration/log@0.1.0" fn progress(u64, u32, u64) void;
};

/// list and string as the contract lays them out.
const Slice = extern struct {
    at: usize,
    length: usize,

    fn of(slice: []const u8) Slice {
        return .{ .at = if (slice.len == 0) 1 else @intFromPtr(slice.ptr), .length = slice.len };
    }

    fn bytes(self: Slice) []u8 {
        return if (self.length == 0) &.{} else @as([*]u8, @ptrFromInt(self.at))[0..self.length];
    }

    fn items(self: Slice, comptime T: type) []T {
        return if (self.length == 0) &.{} else @as([*]T, @ptrFromInt(self.at))[0..self.length];
    }

    fn free(self: Slice, size: usize) void {
        if (self.length == 0) return;
        const aligned: [*]align(8) u8 = @ptrFromInt(self.at);
        allocator.free(aligned[0 .. self.length * size]);
    }
};

const RawColumn = extern struct { kind: u8, tags: Slice, words: Slice, heap: Slice };
const RawBatch = extern struct { rows: u32, columns: Slice };
const OptionU32 = extern struct { is_some: u8, value: u32 };
const RawError = extern struct { code: Slice, native: Slice, message: Slice, row: OptionU32, offset: OptionU32, details: Slice };

/// One value: a tag, and eight bytes.
const Value = extern struct {
    tag: u8,
    payload: extern union { word: u64, real: f64, slice: Slice },

    fn of(cell: Cell) Value {
        return switch (cell) {
            .null => .{ .tag = 0, .payload = .{ .word = 0 } },
            .boolean => |value| .{ .tag = 1, .payload = .{ .word = @intFromBool(value) } },
            .integer => |value| .{ .tag = 2, .payload = .{ .word = @bitCast(value) } },
            .real => |value| .{ .tag = 3, .payload = .{ .real = value } },
            .text => |value| .{ .tag = 4, .payload = .{ .slice = .of(value) } },
            .blob => |value| .{ .tag = 5, .payload = .{ .slice = .of(value) } },
        };
    }
};

/// Where the host writes a result: room for the largest, and its common beginnings.
const Area = extern union {
    tag: u8,
    changed: extern struct { tag: u8, value: extern union { count: u64, failed: RawError } },
    handle: extern struct { tag: u8, value: extern union { handle: u32, failed: RawError } },
    batch: extern struct { tag: u8, value: extern union { option: extern struct { is_some: u8, batch: RawBatch }, failed: RawError } },
    slice: Slice,
};

/// The host's memory for what it gives.
export fn cabi_realloc(old: ?[*]align(8) u8, old_size: usize, alignment: usize, size: usize) [*]u8 {
    if (size == 0) return @ptrFromInt(alignment);
    const room = allocator.alignedAlloc(u8, .@"8", size) catch panicFn("out of memory", null);
    if (old_size > 0) {
        @memcpy(room[0..@min(old_size, size)], old.?[0..@min(old_size, size)]);
        allocator.free(old.?[0..old_size]);
    }
    return room.ptr;
}

/// Why a statement failed. `code` is one of an open set: denied, limit, constraint-unique, busy, …
pub const SqlError = struct {
    code: []const u8,
    native: []const u8,
    message: []const u8,
    row: ?u32,
    offset: ?u32,

    pub fn isDenied(self: SqlError) bool {
        return std.mem.eql(u8, self.code, "denied");
    }

    pub fn isLimit(self: SqlError) bool {
        return std.mem.eql(u8, self.code, "limit");
    }

    pub fn isConstraint(self: SqlError) bool {
        return std.mem.startsWith(u8, self.code, "constraint");
    }

    /// None of the others: the database failed in another way.
    pub fn isDatabase(self: SqlError) bool {
        return !self.isDenied() and !self.isLimit() and !self.isConstraint();
    }
};

/// The step's open transaction. It is kept when the migration returns, and undone when it returns an error.
pub const Tx = struct {
    handle: u32,
    words: rows_zig.Words = .{},
    /// What the last statement that failed had to say.
    sql_error: ?SqlError = null,
    /// Rows that writers collected and have not sent.
    unsent: usize = 0,

    /// Says why the migration stops; return what it returns.
    pub fn fail(self: *Tx, comptime format: []const u8, arguments: anytype) error{Failed} {
        return self.words.say(format, arguments);
    }

    fn refused(self: *Tx, raw: RawError, sent: u32) error{ Denied, Limit, Constraint, Database } {
        const found: SqlError = .{
            .code = raw.code.bytes(),
            .native = raw.native.bytes(),
            .message = raw.message.bytes(),
            .row = if (raw.row.is_some == 1) raw.row.value +| sent else null,
            .offset = if (raw.offset.is_some == 1) raw.offset.value else null,
        };
        self.sql_error = found;
        const native = if (found.native.len == 0) "" else found.native;
        const open = if (native.len == 0) "" else " (";
        const close = if (native.len == 0) "" else ")";
        if (found.row) |row| {
            self.words.say("{s}{s}{s}{s}, row {d} of the batch", .{ found.message, open, native, close, row }) catch {};
        } else {
            self.words.say("{s}{s}{s}{s}", .{ found.message, open, native, close }) catch {};
        }
        if (found.isDenied()) return error.Denied;
        if (found.isLimit()) return error.Limit;
        if (found.isConstraint()) return error.Constraint;
        return error.Database;
    }

    fn counted(self: *Tx, area: *const Area, sent: u32) !u64 {
        if (area.tag == 1) return self.refused(area.changed.value.failed, sent);
        return area.changed.value.count;
    }

    fn opened(self: *Tx, area: *const Area) !u32 {
        if (area.tag == 1) return self.refused(area.handle.value.failed, 0);
        return area.handle.value.handle;
    }

    /// Runs one statement and returns the number of rows it changed.
    pub fn execute(self: *Tx, statement: []const u8, params: []const Cell) !u64 {
        const values = try lowered(params);
        defer allocator.free(values);
        var area: Area = undefined;
        sql.@"[method]transaction.execute"(self.handle, statement.ptr, statement.len, values.ptr, values.len, &area);
        return self.counted(&area, 0);
    }

    /// Runs one query. Rows are fetched about a thousand at a time.
    pub fn query(self: *Tx, statement: []const u8, params: []const Cell) !Rows {
        const values = try lowered(params);
        defer allocator.free(values);
        var area: Area = undefined;
        sql.@"[method]transaction.query"(self.handle, statement.ptr, statement.len, values.ptr, values.len, &area);
        const handle = try self.opened(&area);
        sql.@"[method]cursor.columns"(handle, &area);
        const list = area.slice.items(Slice);
        const names = try allocator.alloc([]const u8, list.len);
        for (list, names) |name, *into| into.* = name.bytes();
        return .{ .tx = self, .handle = handle, .names = names };
    }

    /// Prepares one statement to be run many times.
    pub fn prepare(self: *Tx, statement: []const u8) !Statement {
        var area: Area = undefined;
        sql.@"[method]transaction.prepare"(self.handle, statement.ptr, statement.len, &area);
        return .{ .tx = self, .handle = try self.opened(&area) };
    }

    /// Opens a savepoint; end it with `release` or `rollback`.
    pub fn savepoint(self: *Tx) !Savepoint {
        var area: Area = undefined;
        sql.@"[method]transaction.open-savepoint"(self.handle, &area);
        return .{ .tx = self, .handle = try self.opened(&area) };
    }

    /// Returns the kind of database: sqlite, later others.
    pub fn dialect(self: *Tx) []const u8 {
        var area: Area = undefined;
        sql.@"[method]transaction.dialect"(self.handle, &area);
        return area.slice.bytes();
    }
};

/// The place of an empty list must lie in memory too, and an allocator's does not.
const nowhere: [1]Value = @splat(.{ .tag = 0, .payload = .{ .word = 0 } });
const no_columns: [1]RawColumn = @splat(.{ .kind = 0, .tags = .{ .at = 1, .length = 0 }, .words = .{ .at = 1, .length = 0 }, .heap = .{ .at = 1, .length = 0 } });

fn lowered(params: []const Cell) ![]const Value {
    if (params.len == 0) return nowhere[0..0];
    const values = try allocator.alloc(Value, params.len);
    for (params, values) |cell, *value| value.* = .of(cell);
    return values;
}

/// The rows of a query, read forward.
pub const Rows = struct {
    tx: *Tx,
    handle: u32,
    names: []const []const u8,
    raw: ?RawBatch = null,
    batch: Batch = .{ .rows = 0, .columns = &.{} },
    index: usize = 0,

    /// Returns the next row, or null at the end. It is valid until the next call.
    pub fn next(self: *Rows) !?Row {
        while (self.index >= self.batch.rows) if (!try self.fetch()) return null;
        self.index += 1;
        return .{ .batch = &self.batch, .names = self.names, .index = self.index - 1, .words = &self.tx.words };
    }

    fn fetch(self: *Rows) !bool {
        self.release();
        var area: Area = undefined;
        sql.@"[method]cursor.next-batch"(self.handle, batch_rows, batch_bytes, &area);
        if (area.tag == 1) return self.tx.refused(area.batch.value.failed, 0);
        if (area.batch.value.option.is_some == 0) return false;
        self.raw = area.batch.value.option.batch;
        self.batch = try lifted(self.raw.?);
        if (self.batch.check()) |malformed| return self.tx.fail("malformed batch: {s}", .{malformed.reason});
        return true;
    }

    fn release(self: *Rows) void {
        if (self.raw) |raw| {
            freeBatch(raw);
            allocator.free(self.batch.columns);
        }
        self.raw = null;
        self.batch = .{ .rows = 0, .columns = &.{} };
        self.index = 0;
    }

    pub fn close(self: *Rows) void {
        self.release();
        sql.@"[resource-drop]cursor"(self.handle);
    }
};

fn lifted(raw: RawBatch) !Batch {
    const list = raw.columns.items(RawColumn);
    const columns = try allocator.alloc(Column, list.len);
    for (list, columns) |from, *to| to.* = .{ .kind = from.kind, .tags = from.tags.bytes(), .words = from.words.bytes(), .heap = from.heap.bytes() };
    return .{ .rows = raw.rows, .columns = columns };
}

fn freeBatch(raw: RawBatch) void {
    for (raw.columns.items(RawColumn)) |column| {
        column.tags.free(1);
        column.words.free(1);
        column.heap.free(1);
    }
    raw.columns.free(@sizeOf(RawColumn));
}

fn lent(batch: Batch) ![]const RawColumn {
    if (batch.columns.len == 0) return no_columns[0..0];
    const list = try allocator.alloc(RawColumn, batch.columns.len);
    for (batch.columns, list) |from, *to| to.* = .{ .kind = from.kind, .tags = .of(from.tags), .words = .of(from.words), .heap = .of(from.heap) };
    return list;
}

/// A prepared statement.
pub const Statement = struct {
    tx: *Tx,
    handle: u32,

    /// Runs it once. For many rows, a writer is faster.
    pub fn execute(self: Statement, params: []const Cell) !u64 {
        const values = try lowered(params);
        defer allocator.free(values);
        var area: Area = undefined;
        sql.@"[method]statement.execute"(self.handle, values.ptr, values.len, &area);
        return self.tx.counted(&area, 0);
    }

    /// Runs it once for every row of a batch: for all, or for none.
    pub fn executeBatch(self: Statement, batch: Batch, sent: u32) !u64 {
        const columns = try lent(batch);
        defer allocator.free(columns);
        var area: Area = undefined;
        sql.@"[method]statement.execute-batch"(self.handle, batch.rows, columns.ptr, columns.len, &area);
        return self.tx.counted(&area, sent);
    }

    /// Collects rows of `width` parameters and sends them about a thousand at a time.
    pub fn writer(self: Statement, width: usize) !Writer {
        return .{ .statement = self, .builder = try Builder.init(allocator, width) };
    }

    pub fn close(self: Statement) void {
        sql.@"[resource-drop]statement"(self.handle);
    }
};

/// Collects rows for a statement; end it with `finish`. Rows that were never sent make the migration fail, so that none is
/// lost unseen.
pub const Writer = struct {
    statement: Statement,
    builder: Builder,
    changed: u64 = 0,
    sent: u32 = 0,

    /// Adds the parameters of one run.
    pub fn row(self: *Writer, params: []const Cell) !void {
        if (params.len != self.builder.building.len) return self.statement.tx.fail("the writer has {d} parameters, this row {d}", .{ self.builder.building.len, params.len });
        if (params.len == 0) {
            self.changed += try self.statement.execute(params);
            return;
        }
        for (params, 0..) |cell, column| try self.builder.push(column, cell);
        self.statement.tx.unsent += 1;
        const rows = self.builder.rows();
        if (rows >= batch_rows or rows * 8 * params.len + self.builder.bytes >= batch_bytes) try self.flush();
    }

    pub fn flush(self: *Writer) !void {
        const batch = try self.builder.finish();
        if (batch.rows == 0) return;
        defer self.builder.clear();
        self.statement.tx.unsent -= batch.rows;
        self.changed += try self.statement.executeBatch(batch, self.sent);
        self.sent += batch.rows;
    }

    /// Sends the rest and returns the number of rows changed in all.
    pub fn finish(self: *Writer) !u64 {
        try self.flush();
        return self.changed;
    }
};

/// A savepoint; end it with one of its two functions.
pub const Savepoint = struct {
    tx: *Tx,
    handle: u32,

    pub fn release(self: Savepoint) !void {
        var area: Area = undefined;
        sql.@"[method]savepoint.release"(self.handle, &area);
        sql.@"[resource-drop]savepoint"(self.handle);
        if (area.tag == 1) return self.tx.refused(area.handle.value.failed, 0);
    }

    pub fn rollback(self: Savepoint) !void {
        var area: Area = undefined;
        sql.@"[method]savepoint.rollback"(self.handle, &area);
        sql.@"[resource-drop]savepoint"(self.handle);
        if (area.tag == 1) return self.tx.refused(area.handle.value.failed, 0);
    }
};

pub const Level = enum(u32) { trace, debug, info, warn, err };

/// Writes one line into the host's log.
pub fn log(level: Level, comptime format: []const u8, arguments: anytype) void {
    var words: rows_zig.Words = .{};
    words.say(format, arguments) catch {};
    host_log.write(@intFromEnum(level), words.text.ptr, words.text.len);
}

/// Tells how far the work is.
pub fn progress(done: u64, total: ?u64) void {
    host_log.progress(done, @intFromBool(total != null), total orelse 0);
}

/// Puts a panic's words into the log before the trap.
pub fn panicFn(message: []const u8, _: ?usize) noreturn {
    @branchHint(.cold);
    host_log.write(@intFromEnum(Level.err), message.ptr, message.len);
    @trap();
}

// What goes back to the host lives until the next call.
var returned: [5]u32 align(8) = undefined;
var returned_words: rows_zig.Words = .{};
var arena: ?std.heap.ArenaAllocator = null;

fn context(chain: Slice, version: Slice, name: Slice, tenant: ?Slice, dry_run: bool, started_at: u64, seed: u64, params: Slice) Context {
    const Pair = extern struct { name: Slice, value: Slice };
    const list = params.items(Pair);
    const pairs = allocator.alloc([2][]const u8, list.len) catch panicFn("out of memory", null);
    for (list, pairs) |from, *to| to.* = .{ from.name.bytes(), from.value.bytes() };
    return .{
        .chain = chain.bytes(),
        .version = version.bytes(),
        .name = name.bytes(),
        .tenant = if (tenant) |slice| slice.bytes() else null,
        .dry_run = dry_run,
        .started_at = started_at,
        .seed = seed,
        .params = pairs,
    };
}

fn complete(comptime work: fn (*Tx, *const Context) anyerror!void, tx: *Tx, ctx: *const Context) anyerror!void {
    try work(tx, ctx);
    if (tx.unsent > 0) return tx.fail("a writer was left with {d} rows that were never sent: call finish", .{tx.unsent});
}

fn direction(comptime work: fn (*Tx, *const Context) anyerror!void) fn (u32, usize, usize, usize, usize, usize, usize, u32, usize, usize, u32, u64, u64, usize, usize) callconv(.{ .wasm_mvp = .{} }) *[5]u32 {
    return struct {
        fn call(handle: u32, chain: usize, chain_length: usize, version: usize, version_length: usize, name: usize, name_length: usize, has_tenant: u32, tenant: usize, tenant_length: usize, dry_run: u32, started_at: u64, seed: u64, params: usize, params_length: usize) callconv(.{ .wasm_mvp = .{} }) *[5]u32 {
            const ctx = context(.{ .at = chain, .length = chain_length }, .{ .at = version, .length = version_length }, .{ .at = name, .length = name_length }, if (has_tenant != 0) .{ .at = tenant, .length = tenant_length } else null, dry_run != 0, started_at, seed, .{ .at = params, .length = params_length });
            var tx: Tx = .{ .handle = handle };
            returned[0] = 0;
            complete(work, &tx, &ctx) catch |problem| {
                if (problem != error.Failed and tx.sql_error == null) tx.words.text = "";
                if (tx.words.text.len == 0) tx.words.say("{s}", .{@errorName(problem)}) catch {};
                returned_words.say("{s}", .{tx.words.text}) catch {};
                returned = .{ 1, @intFromPtr(returned_words.text.ptr), returned_words.text.len, 0, 0 };
            };
            sql.@"[resource-drop]transaction"(handle);
            return &returned;
        }
    }.call;
}

/// Exports `up`, and `down` and `verify` if there are any: `comptime { whimbrel.exportMigration(@This()); }`.
pub fn exportMigration(comptime migration: type) void {
    @export(&direction(migration.up), .{ .name = "up" });
    if (@hasDecl(migration, "down")) @export(&direction(migration.down), .{ .name = "down" });
    if (@hasDecl(migration, "verify")) exportVerify(migration.verify);
}

/// Exports `verify`, which looks whether the work is as it should be with a transaction that only reads; an error undoes
/// the step. Beside a transform: `comptime { whimbrel.exportVerify(verify); }`.
pub fn exportVerify(comptime verify: fn (*Tx, *const Context) anyerror!void) void {
    @export(&direction(verify), .{ .name = "verify" });
}

/// Exports `apply`: `comptime { whimbrel.exportTransform(each); }`.
pub fn exportTransform(comptime transform: fn (Row, *rows_zig.Out, *const Context) anyerror!void) void {
    const Arguments = extern struct {
        input: RawBatch,
        chain: Slice,
        version: Slice,
        name: Slice,
        has_tenant: u8,
        tenant: Slice,
        dry_run: u8,
        started_at: u64 align(8),
        seed: u64,
        params: Slice,
    };
    const Exported = struct {
        fn apply(from: *align(8) Arguments) callconv(.{ .wasm_mvp = .{} }) *[5]u32 {
            if (arena) |*last| last.deinit();
            arena = .init(allocator);
            const inside = arena.?.allocator();
            const ctx = context(from.chain, from.version, from.name, if (from.has_tenant != 0) from.tenant else null, from.dry_run != 0, from.started_at, from.seed, from.params);
            const input = lifted(from.input) catch panicFn("out of memory", null);
            var failure: rows_zig.Failure = .{};
            if (rows_zig.apply(transform, inside, &input, &ctx, &returned_words, &failure)) |batch| {
                const columns = lent(.{ .rows = batch.rows, .columns = batch.columns }) catch panicFn("out of memory", null);
                returned = .{ 0, batch.rows, @intFromPtr(columns.ptr), columns.len, 0 };
            } else |problem| {
                _ = rows_zig.told(&returned_words, problem) catch {};
                const row: u32 = @intCast(failure.row orelse 0);
                returned = .{ 1, @intFromBool(failure.row != null), row, @intFromPtr(returned_words.text.ptr), returned_words.text.len };
            }
            freeBatch(from.input);
            allocator.free(input.columns);
            allocator.free(ctx.params);
            return &returned;
        }
    };
    @export(&Exported.apply, .{ .name = "apply" });
}
