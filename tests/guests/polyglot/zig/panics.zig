const whimbrel = @import("whimbrel");

pub const panic = whimbrel.panic;

pub fn up(tx: *whimbrel.Tx, _: *const whimbrel.Context) !void {
    _ = try tx.execute("UPDATE person SET first_name = 'gone'", &.{});
    @panic("a mistake in Zig");
}

comptime {
    whimbrel.exportMigration(@This());
}
