//! The transform of one customer.

const std = @import("std");
const whimbrel = @import("whimbrel");
const rules = @import("rules.zig");

pub fn mend(row: whimbrel.Row, out: *whimbrel.Out, ctx: *const whimbrel.Context) anyerror!void {
    const typed = try row.optionalText("email");
    const key = try rules.email(out.allocator, typed);
    if (key == null and std.mem.eql(u8, ctx.param("strict") orelse "", "yes")) {
        if (typed) |text| return out.reject("customer {d}: not an e-mail address: {s}", .{ try row.integer("id"), text });
    }
    const name = try rules.name(out.allocator, try row.optionalText("full_name"));
    try out.row(&.{
        whimbrel.optionalText(name.first),
        whimbrel.optionalText(name.last),
        whimbrel.optionalText(key),
        whimbrel.optionalText(try rules.phone(out.allocator, try row.optionalText("phone"))),
        whimbrel.optionalInteger(rules.cents(try row.optionalText("balance"))),
    });
}
