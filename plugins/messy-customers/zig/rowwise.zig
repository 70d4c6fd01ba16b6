//! Row by row: reads all customers, writes what the rules make of them.

const std = @import("std");
const whimbrel = @import("whimbrel");
const rules = @import("rules.zig");

pub const panic = whimbrel.panic;
pub const verify = @import("verify.zig").verify;

pub fn up(tx: *whimbrel.Tx, ctx: *const whimbrel.Context) !void {
    const strict = std.mem.eql(u8, ctx.param("strict") orelse "", "yes");
    const update = try tx.prepare(
        "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?",
    );
    defer update.close();
    var rows = try tx.query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id", &.{});
    defer rows.close();
    var writer = try update.writer(6);
    var arena = std.heap.ArenaAllocator.init(whimbrel.allocator);
    while (try rows.next()) |row| {
        defer _ = arena.reset(.retain_capacity);
        const id = try row.integer("id");
        const typed = try row.optionalText("email");
        const key = try rules.email(arena.allocator(), typed);
        if (strict and key == null) {
            if (typed) |text| return tx.fail("customer {d}: not an e-mail address: {s}", .{ id, text });
        }
        const name = try rules.name(arena.allocator(), try row.optionalText("full_name"));
        try writer.row(&.{
            whimbrel.optionalText(name.first),
            whimbrel.optionalText(name.last),
            whimbrel.optionalText(key),
            whimbrel.optionalText(try rules.phone(arena.allocator(), try row.optionalText("phone"))),
            whimbrel.optionalInteger(rules.cents(try row.optionalText("balance"))),
            .{ .integer = id },
        });
    }
    whimbrel.log(.info, "mended {d} customers", .{try writer.finish()});
}

pub fn down(tx: *whimbrel.Tx, _: *const whimbrel.Context) !void {
    _ = try tx.execute(
        "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL",
        &.{},
    );
}

comptime {
    whimbrel.exportMigration(@This());
}
