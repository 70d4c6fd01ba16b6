//! All cases, through the transform.

const std = @import("std");
const whimbrel = @import("whimbrel");
const mend = @import("mend.zig").mend;

fn cell(arena: std.mem.Allocator, column: []const u8) !whimbrel.Cell {
    if (std.mem.eql(u8, column, "\\N")) return .null;
    const text = try arena.alloc(u8, column.len);
    var length: usize = 0;
    var escaped = false;
    for (column) |letter| {
        if (letter == '\\' and !escaped) {
            escaped = true;
            continue;
        }
        text[length] = if (!escaped) letter else switch (letter) {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            else => letter,
        };
        escaped = false;
        length += 1;
    }
    return .{ .text = text[0..length] };
}

const names = [_][2][]const u8{
    .{ "whimbrel.read", "id" },          .{ "whimbrel.read", "full_name" },   .{ "whimbrel.read", "email" },
    .{ "whimbrel.read", "phone" },       .{ "whimbrel.read", "balance" },     .{ "whimbrel.write", "first_name" },
    .{ "whimbrel.write", "last_name" },  .{ "whimbrel.write", "email_key" },  .{ "whimbrel.write", "phone_key" },
    .{ "whimbrel.write", "cents" },
};

test "every case" {
    var arena_state = std.heap.ArenaAllocator.init(std.testing.allocator);
    defer arena_state.deinit();
    const arena = arena_state.allocator();
    var lines = std.mem.tokenizeScalar(u8, @embedFile("cases"), '\n');
    var number: usize = 0;
    while (lines.next()) |line| {
        number += 1;
        errdefer std.debug.print("line {d}\n", .{number});
        var columns: [9]whimbrel.Cell = undefined;
        var parts = std.mem.splitScalar(u8, line, '\t');
        for (&columns) |*column| column.* = try cell(arena, parts.next().?);
        var builder = try whimbrel.Builder.init(arena, 5);
        try builder.push(0, .{ .integer = @intCast(number) });
        for (columns[0..4], 1..) |column, at| try builder.push(at, column);
        const input = try builder.finish();
        var words: whimbrel.Words = .{};
        var failure: whimbrel.Failure = .{};
        const output = try whimbrel.apply(mend, arena, &input, &.{ .params = &names }, &words, &failure);
        for (columns[4..8], 0..) |expected, at| try std.testing.expectEqualDeep(expected, output.cell(0, at));
        switch (output.cell(0, 4)) {
            .integer => |cents| try std.testing.expectEqual(try std.fmt.parseInt(i64, columns[8].text, 10), cents),
            else => |none| try std.testing.expectEqualDeep(columns[8], none),
        }
    }
    try std.testing.expect(number > 10);
}
