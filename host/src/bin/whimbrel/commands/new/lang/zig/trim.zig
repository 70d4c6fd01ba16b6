const std = @import("std");

/// Returns the text without spaces around it.
pub fn trim(text: []const u8) []const u8 {
    return std.mem.trim(u8, text, " ");
}

test "trims" {
    try std.testing.expectEqualStrings("a b", trim("  a b "));
}
