const std = @import("std");
const whimbrel = @import("whimbrel");

pub const panic = whimbrel.panic;

const write = "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)";

pub fn up(tx: *whimbrel.Tx, ctx: *const whimbrel.Context) !void {
    const form = ctx.param("form") orelse "";
    if (std.mem.eql(u8, form, "trivial")) {
        _ = try tx.execute("CREATE TABLE trivial (id INTEGER PRIMARY KEY)", &.{});
        return;
    }
    const is_packed = std.mem.eql(u8, form, "packed");
    const statement = try tx.prepare(write);
    defer statement.close();
    var writer = try statement.writer(4);
    var rows = try tx.query("SELECT id, full_name FROM person ORDER BY id", &.{});
    defer rows.close();
    var key: std.ArrayList(u8) = .empty;
    while (try rows.next()) |row| {
        const full = try row.text("full_name");
        const cut = std.mem.lastIndexOfScalar(u8, full, ' ');
        const first = full[0 .. cut orelse 0];
        const last = full[if (cut) |at| at + 1 else 0..];
        key.clearRetainingCapacity();
        try key.appendSlice(whimbrel.allocator, last);
        try key.append(whimbrel.allocator, ' ');
        try key.appendSlice(whimbrel.allocator, first);
        const cells = [_]whimbrel.Cell{
            .{ .text = first }, .{ .text = last }, .{ .text = key.items }, .{ .integer = try row.integer("id") },
        };
        if (is_packed) try writer.row(&cells) else _ = try statement.execute(&cells);
    }
    _ = try writer.finish();
}

comptime {
    whimbrel.exportMigration(@This());
}
