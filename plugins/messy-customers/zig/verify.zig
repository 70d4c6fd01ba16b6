//! Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`.

const whimbrel = @import("whimbrel");

const unnamed =
    \\SELECT count(*) AS unnamed FROM customer WHERE first_name IS NULL AND last_name IS NULL
    \\AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''
;

pub fn verify(tx: *whimbrel.Tx, _: *const whimbrel.Context) !void {
    var rows = try tx.query(unnamed, &.{});
    defer rows.close();
    while (try rows.next()) |row| {
        const count = try row.integer("unnamed");
        if (count > 0) return tx.fail("{d} customers lost their name", .{count});
    }
}
