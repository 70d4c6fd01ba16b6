//! The codec against the vectors beside the contract:
//!     zig test --dep vectors -Mroot=test.zig -Mvectors=../wit/packed-vectors.json

const std = @import("std");
const packed_rows = @import("packed.zig");
const rows = @import("rows.zig");
const expect = std.testing.expect;

const RawColumn = struct { kind: u8, tags: []const u8, words: []const u8, heap: []const u8 };
const RawBatch = struct { rows: u32, columns: []const RawColumn };
const Shown = struct {
    null: ?bool = null,
    integer: ?[]const u8 = null,
    real: ?[]const u8 = null,
    text: ?[]const u8 = null,
    blob: ?[]const u8 = null,
    boolean: ?bool = null,
};
const Valid = struct { name: []const u8, canonical: bool, batch: RawBatch, rows: []const []const Shown };
const Wrong = struct { name: []const u8, batch: RawBatch, reason: []const u8, column: ?usize, row: ?usize };
const Vectors = struct { valid: []const Valid, malformed: []const Wrong };

fn read(arena: std.mem.Allocator, raw: RawBatch) !packed_rows.Batch {
    const columns = try arena.alloc(packed_rows.Column, raw.columns.len);
    for (raw.columns, columns) |from, *to| to.* = .{
        .kind = from.kind,
        .tags = try unhex(arena, from.tags),
        .words = try unhex(arena, from.words),
        .heap = try unhex(arena, from.heap),
    };
    return .{ .rows = raw.rows, .columns = columns };
}

fn unhex(arena: std.mem.Allocator, text: []const u8) ![]const u8 {
    return std.fmt.hexToBytes(try arena.alloc(u8, text.len / 2), text);
}

fn is(arena: std.mem.Allocator, cell: packed_rows.Cell, shown: Shown) !bool {
    return switch (cell) {
        .null => shown.null orelse false,
        .integer => |value| value == try std.fmt.parseInt(i64, shown.integer orelse return false, 10),
        .real => |value| @as(u64, @bitCast(value)) == try std.fmt.parseInt(u64, shown.real orelse return false, 16),
        .text => |value| std.mem.eql(u8, value, shown.text orelse return false),
        .blob => |value| std.mem.eql(u8, value, try unhex(arena, shown.blob orelse return false)),
        .boolean => |value| value == (shown.boolean orelse return false),
    };
}

test "every vector" {
    var arena_state = std.heap.ArenaAllocator.init(std.testing.allocator);
    defer arena_state.deinit();
    const arena = arena_state.allocator();
    const vectors = try std.json.parseFromSliceLeaky(Vectors, arena, @embedFile("vectors"), .{});
    try expect(vectors.valid.len >= 10 and vectors.malformed.len >= 20);
    for (vectors.valid) |vector| {
        errdefer std.debug.print("{s}\n", .{vector.name});
        const batch = try read(arena, vector.batch);
        try expect(batch.check() == null);
        var builder = try packed_rows.Builder.init(arena, batch.columns.len);
        for (vector.rows, 0..) |cells, row| for (cells, 0..) |shown, column| {
            try expect(try is(arena, batch.cell(row, column), shown));
            try builder.push(column, batch.cell(row, column));
        };
        const written = try builder.finish();
        if (vector.canonical) for (written.columns, batch.columns) |ours, theirs| {
            try std.testing.expectEqual(theirs.kind, ours.kind);
            try std.testing.expectEqualSlices(u8, theirs.tags, ours.tags);
            try std.testing.expectEqualSlices(u8, theirs.words, ours.words);
            try std.testing.expectEqualSlices(u8, theirs.heap, ours.heap);
        };
    }
    for (vectors.malformed) |vector| {
        errdefer std.debug.print("{s}\n", .{vector.name});
        const found = (try read(arena, vector.batch)).check() orelse return error.NotRefused;
        try std.testing.expectEqualStrings(vector.reason, found.reason);
        try std.testing.expectEqual(vector.column, found.column);
        try std.testing.expectEqual(vector.row, found.row);
    }
}

fn count(row: rows.Row, out: *rows.Out, _: *const rows.Context) anyerror!void {
    try expect(try row.isNull("nothing"));
    try std.testing.expectError(error.Failed, row.text("nothing"));
    try std.testing.expectEqualStrings("column nothing: expected a text, found NULL", out.words.text);
    try std.testing.expectError(error.Failed, row.text("nobody"));
    try std.testing.expectEqualStrings("the query has no column nobody", out.words.text);
    try out.set("nothing", .{ .integer = try row.integer("ID") + 1 });
}

test "rows are read by name" {
    var arena_state = std.heap.ArenaAllocator.init(std.testing.allocator);
    defer arena_state.deinit();
    const arena = arena_state.allocator();
    var builder = try packed_rows.Builder.init(arena, 2);
    try builder.push(0, .{ .integer = std.math.maxInt(i64) - 1 });
    try builder.push(1, .null);
    const input = try builder.finish();
    const names = [_][2][]const u8{ .{ "whimbrel.read", "id" }, .{ "whimbrel.read", "nothing" }, .{ "whimbrel.write", "id" }, .{ "whimbrel.write", "nothing" } };
    var words: rows.Words = .{};
    var failure: rows.Failure = .{};
    const output = try rows.apply(count, arena, &input, &.{ .params = &names }, &words, &failure);
    try std.testing.expectEqual(std.math.maxInt(i64) - 1, output.cell(0, 0).integer);
    try std.testing.expectEqual(std.math.maxInt(i64), output.cell(0, 1).integer);
}
