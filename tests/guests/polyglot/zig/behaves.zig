const std = @import("std");
const whimbrel = @import("whimbrel");

pub const panic = whimbrel.panic;

/// Says what kind of failure a result is.
fn told(tx: *whimbrel.Tx, result: anyerror!u64) !void {
    if (result) |_| return tx.fail("nothing failed", .{}) else |problem| {
        const kind = switch (problem) {
            error.Denied => "denied",
            error.Limit => "limit",
            error.Constraint => "constraint",
            error.Database => "database",
            else => return problem,
        };
        const found = tx.sql_error.?;
        if (found.isDenied() != (problem == error.Denied) or found.isLimit() != (problem == error.Limit) or
            found.isConstraint() != (problem == error.Constraint) or found.isDatabase() != (problem == error.Database))
            return tx.fail("the error is {s} and says otherwise", .{kind});
        if (found.row) |row| {
            whimbrel.log(.info, "{s} {s} in row {d}", .{ kind, found.code, row });
        } else {
            whimbrel.log(.info, "{s} {s}", .{ kind, found.code });
        }
    }
}

fn savepoints(tx: *whimbrel.Tx) !void {
    const change = "UPDATE person SET last_name = ?";
    const outer = try tx.savepoint();
    _ = try tx.execute(change, &.{.{ .text = "outer" }});
    const inner = try tx.savepoint();
    _ = try tx.execute(change, &.{.{ .text = "inner" }});
    try inner.rollback();
    try outer.release();
    _ = try tx.execute("UPDATE person SET first_name = last_name", &.{});
}

fn twice(tx: *whimbrel.Tx) !u64 {
    const update = try tx.prepare("UPDATE person SET code = ? WHERE id = ?");
    defer update.close();
    var writer = try update.writer(2);
    for ([_][]const u8{ "a", "b", "a" }, 1..) |code, id| {
        try writer.row(&.{ .{ .text = code }, .{ .integer = @intCast(id) } });
    }
    return writer.finish();
}

/// Leaves rows in a writer.
fn leave(tx: *whimbrel.Tx) !void {
    const update = try tx.prepare("UPDATE person SET code = ? WHERE id = ?");
    var writer = try update.writer(2);
    for (1..4) |id| try writer.row(&.{ .{ .text = "left" }, .{ .integer = @intCast(id) } });
}

pub fn up(tx: *whimbrel.Tx, ctx: *const whimbrel.Context) !void {
    if (std.mem.eql(u8, ctx.param("do") orelse "", "leave")) return leave(tx);
    if (std.mem.eql(u8, ctx.param("do") orelse "", "limit")) {
        return told(tx, tx.execute("SELECT ?, ?, ?", &.{ .{ .integer = 1 }, .{ .integer = 2 }, .{ .integer = 3 } }));
    }
    whimbrel.progress(1, 2);
    try savepoints(tx);
    try told(tx, tx.execute("COMMIT", &.{}));
    try told(tx, tx.execute("INSERT INTO person (full_name) VALUES (NULL)", &.{}));
    try told(tx, tx.execute("SELEKT 1", &.{}));
    try told(tx, twice(tx));
    whimbrel.progress(2, null);
}

comptime {
    whimbrel.exportMigration(@This());
}
