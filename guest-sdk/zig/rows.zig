//! Rows, whose cells are read by the column's name, and transforms. Needs no host.

const std = @import("std");
const packed_rows = @import("packed.zig");
const Batch = packed_rows.Batch;
const Builder = packed_rows.Builder;
const Cell = packed_rows.Cell;

/// Why the last thing failed, in words; what an error of the language cannot carry.
pub const Words = struct {
    room: [1024]u8 = undefined,
    text: []const u8 = "",

    /// Says what failed and returns the error to return.
    pub fn say(self: *Words, comptime format: []const u8, arguments: anytype) error{Failed} {
        self.text = std.fmt.bufPrint(&self.room, format, arguments) catch self.room[0..valid(&self.room)];
        return error.Failed;
    }

    /// A text that was cut off must not end inside a character.
    fn valid(text: []const u8) usize {
        var end = text.len;
        while (end > 0 and !std.unicode.utf8ValidateSlice(text[0..end])) end -= 1;
        return end;
    }
};

/// One row of a checked batch.
pub const Row = struct {
    batch: *const Batch,
    names: []const []const u8,
    index: usize,
    words: *Words,

    /// Reads any cell.
    pub fn get(self: Row, name: []const u8) error{Failed}!Cell {
        const at = find(self.names, name) orelse return self.words.say("the query has no column {s}", .{name});
        return self.batch.cell(self.index, at);
    }

    pub fn integer(self: Row, name: []const u8) error{Failed}!i64 {
        const cell = try self.get(name);
        return if (cell == .integer) cell.integer else self.wrong(name, "an integer", cell);
    }

    pub fn real(self: Row, name: []const u8) error{Failed}!f64 {
        return switch (try self.get(name)) {
            .real => |value| value,
            .integer => |value| @floatFromInt(value),
            else => |cell| self.wrong(name, "a number", cell),
        };
    }

    /// Reads a boolean, or an integer that is 0 or 1.
    pub fn boolean(self: Row, name: []const u8) error{Failed}!bool {
        const cell = try self.get(name);
        if (cell == .boolean) return cell.boolean;
        if (cell == .integer and (cell.integer == 0 or cell.integer == 1)) return cell.integer == 1;
        return self.wrong(name, "a boolean", cell);
    }

    pub fn text(self: Row, name: []const u8) error{Failed}![]const u8 {
        const cell = try self.get(name);
        return if (cell == .text) cell.text else self.wrong(name, "a text", cell);
    }

    /// Reads a text, null for NULL.
    pub fn optionalText(self: Row, name: []const u8) error{Failed}!?[]const u8 {
        return if (try self.isNull(name)) null else try self.text(name);
    }

    /// Reads an integer, null for NULL.
    pub fn optionalInteger(self: Row, name: []const u8) error{Failed}!?i64 {
        return if (try self.isNull(name)) null else try self.integer(name);
    }

    pub fn blob(self: Row, name: []const u8) error{Failed}![]const u8 {
        const cell = try self.get(name);
        return if (cell == .blob) cell.blob else self.wrong(name, "a blob", cell);
    }

    pub fn isNull(self: Row, name: []const u8) error{Failed}!bool {
        return try self.get(name) == .null;
    }

    fn wrong(self: Row, name: []const u8, expected: []const u8, cell: Cell) error{Failed} {
        const found = switch (cell) {
            .null => "NULL",
            .integer => "an integer",
            .real => "a real number",
            .text => "a text",
            .blob => "a blob",
            .boolean => "a boolean",
        };
        return self.words.say("column {s}: expected {s}, found {s}", .{ name, expected, found });
    }
};

/// Finds a column; SQL's names do not care about case.
fn find(names: []const []const u8, name: []const u8) ?usize {
    for (names, 0..) |other, at| if (std.ascii.eqlIgnoreCase(name, other)) return at;
    return null;
}

/// What a migration may know about the run. There is no other clock and no randomness.
pub const Context = struct {
    chain: []const u8 = "",
    version: []const u8 = "",
    name: []const u8 = "",
    tenant: ?[]const u8 = null,
    dry_run: bool = false,
    started_at: u64 = 0,
    seed: u64 = 0,
    params: []const [2][]const u8 = &.{},

    /// Returns what the manifest's [params] gives for a name.
    pub fn param(self: *const Context, name: []const u8) ?[]const u8 {
        for (self.params) |pair| if (std.mem.eql(u8, pair[0], name)) return pair[1];
        return null;
    }

    fn all(self: *const Context, allocator: std.mem.Allocator, name: []const u8) ![]const []const u8 {
        var list: std.ArrayList([]const u8) = .empty;
        for (self.params) |pair| if (std.mem.eql(u8, pair[0], name)) try list.append(allocator, pair[1]);
        return list.toOwnedSlice(allocator);
    }
};

/// What becomes of a row: the columns that the manifest writes.
pub const Out = struct {
    builder: Builder,
    write: []const []const u8,
    set_columns: []bool,
    into: bool,
    any: bool = false,
    rows: usize = 0,
    index: usize = 0,
    words: *Words,
    /// For what a row needs; emptied after each row.
    allocator: std.mem.Allocator,

    /// Rejects the row; return what it returns.
    pub fn reject(self: *Out, comptime format: []const u8, arguments: anytype) error{Failed} {
        return self.words.say(format, arguments);
    }

    /// Sets one column. What is not set keeps its value if it is also read; in another table it is NULL.
    pub fn set(self: *Out, name: []const u8, cell: Cell) !void {
        const at = find(self.write, name) orelse return self.words.say("the manifest does not write {s}", .{name});
        if (self.set_columns[at] or self.rows > 0) return self.words.say("the transform set {s} twice", .{name});
        self.set_columns[at] = true;
        self.any = true;
        try self.builder.push(at + @intFromBool(self.into), cell);
    }

    /// Gives a whole row: in place exactly one, into another table as many as there are.
    pub fn row(self: *Out, cells: []const Cell) !void {
        if (cells.len != self.write.len) return self.words.say("the transform gave a row of {d} cells, and {d} are written", .{ cells.len, self.write.len });
        if (self.any or (self.rows > 0 and !self.into)) return self.words.say("the transform gave more than one row for a row that is updated in place", .{});
        if (self.into) try self.builder.push(0, .{ .integer = @intCast(self.index) });
        for (cells, 0..) |cell, at| try self.builder.push(at + @intFromBool(self.into), cell);
        self.rows += 1;
    }

    fn end(self: *Out, from: Row) !void {
        if (!self.any and (self.rows > 0 or self.into)) return;
        if (self.into) try self.builder.push(0, .{ .integer = @intCast(self.index) });
        for (self.write, self.set_columns, 0..) |name, is_set, at| {
            if (is_set) continue;
            if (self.into) {
                try self.builder.push(at + 1, .null);
            } else if (find(from.names, name)) |read| {
                try self.builder.push(at, from.batch.cell(from.index, read));
            } else {
                return self.words.say("the transform did not set {s}; to keep its value, it has to be read too", .{name});
            }
        }
    }
};

/// Which row failed, if it was a single one; the words say why.
pub const Failure = struct { row: ?usize = null };

/// Runs a transform over a batch, as the host does. The batch that comes out belongs to `arena`.
pub fn apply(
    comptime transform: fn (Row, *Out, *const Context) anyerror!void,
    arena: std.mem.Allocator,
    input: *const Batch,
    context: *const Context,
    words: *Words,
    failure: *Failure,
) anyerror!Batch {
    failure.* = .{};
    if (input.check()) |malformed| return words.say("malformed batch: {s}", .{malformed.reason});
    const read = try context.all(arena, "whimbrel.read");
    const write = try context.all(arena, "whimbrel.write");
    const into = context.param("whimbrel.into") != null;
    if (read.len != input.columns.len) return words.say("the batch has other columns than the manifest reads", .{});
    var scratch = std.heap.ArenaAllocator.init(arena);
    var out: Out = .{
        .builder = try Builder.init(arena, write.len + @intFromBool(into)),
        .write = write,
        .set_columns = try arena.alloc(bool, write.len),
        .into = into,
        .words = words,
        .allocator = scratch.allocator(),
    };
    for (0..input.rows) |index| {
        const row: Row = .{ .batch = input, .names = read, .index = index, .words = words };
        @memset(out.set_columns, false);
        out.any = false;
        out.rows = 0;
        out.index = index;
        words.text = "";
        failure.row = index;
        transform(row, &out, context) catch |problem| return told(words, problem);
        out.end(row) catch |problem| return told(words, problem);
        _ = scratch.reset(.retain_capacity);
    }
    failure.row = null;
    return out.builder.finish();
}

/// Names an error that nobody put into words.
pub fn told(words: *Words, problem: anyerror) anyerror {
    if (problem != error.Failed or words.text.len == 0) return words.say("{s}", .{@errorName(problem)});
    return problem;
}
