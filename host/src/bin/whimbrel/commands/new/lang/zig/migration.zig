//! Trims the notes. build.sh makes a component of this, `whimbrel up` runs it.

const whimbrel = @import("whimbrel");
const trim = @import("trim.zig").trim;

pub const panic = whimbrel.panic;

pub fn up(tx: *whimbrel.Tx, _: *const whimbrel.Context) !void {
    const update = try tx.prepare("UPDATE note SET text = ? WHERE id = ?");
    defer update.close();
    var rows = try tx.query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id", &.{});
    defer rows.close();
    var writer = try update.writer(2);
    while (try rows.next()) |row| {
        try writer.row(&.{ .{ .text = trim(try row.text("text")) }, .{ .integer = try row.integer("id") } });
    }
    _ = try writer.finish();
}
{{down}}
comptime {
    whimbrel.exportMigration(@This());
}
