//! The rules of README.md. Pure: a text goes in, a text or integer comes out, null for NULL. New text is allocated.

const std = @import("std");
const Allocator = std.mem.Allocator;

pub const Name = struct { first: ?[]const u8 = null, last: ?[]const u8 = null };

/// Returns how many bytes the blank at the beginning takes, 0 if there is none.
fn blank(text: []const u8) usize {
    if (text.len == 0) return 0;
    return switch (text[0]) {
        ' ', '\t', '\n', '\r' => 1,
        0xc2 => if (text.len > 1 and text[1] == 0xa0) 2 else 0,
        else => 0,
    };
}

fn trim(text: []const u8) []const u8 {
    var rest = text;
    while (blank(rest) > 0) rest = rest[blank(rest)..];
    while (rest.len > 0) {
        if (blank(rest[rest.len - 1 ..]) == 1) {
            rest = rest[0 .. rest.len - 1];
        } else if (rest.len > 1 and blank(rest[rest.len - 2 ..]) == 2) {
            rest = rest[0 .. rest.len - 2];
        } else break;
    }
    return rest;
}

/// Joins the words with one space between them; null if there are none.
fn join(allocator: Allocator, text: []const u8, commas: bool) !?[]const u8 {
    const joined = try allocator.alloc(u8, text.len);
    var length: usize = 0;
    var apart = false;
    var rest = text;
    while (rest.len > 0) {
        const bytes = if (commas and rest[0] == ',') 1 else blank(rest);
        if (bytes > 0) {
            apart = true;
            rest = rest[bytes..];
            continue;
        }
        if (apart and length > 0) {
            joined[length] = ' ';
            length += 1;
        }
        apart = false;
        joined[length] = rest[0];
        length += 1;
        rest = rest[1..];
    }
    return if (length == 0) null else joined[0..length];
}

pub fn name(allocator: Allocator, typed: ?[]const u8) !Name {
    const text = typed orelse return .{};
    if (std.mem.findScalar(u8, text, ',')) |comma| {
        return .{ .first = try join(allocator, text[comma + 1 ..], true), .last = try join(allocator, text[0..comma], false) };
    }
    const words = try join(allocator, text, false) orelse return .{};
    const at = std.mem.findScalarLast(u8, words, ' ') orelse return .{ .first = words };
    return .{ .first = words[0..at], .last = words[at + 1 ..] };
}

pub fn email(allocator: Allocator, typed: ?[]const u8) !?[]const u8 {
    const text = trim(typed orelse return null);
    const sign = std.mem.findScalar(u8, text, '@') orelse return null;
    if (sign == 0 or sign + 1 == text.len or std.mem.findScalarLast(u8, text, '@') != sign) return null;
    for (0..text.len) |at| if (blank(text[at..]) > 0) return null;
    const lower = try allocator.dupe(u8, text);
    for (lower) |*letter| letter.* = std.ascii.toLower(letter.*);
    return lower;
}

pub fn phone(allocator: Allocator, typed: ?[]const u8) !?[]const u8 {
    const text = trim(typed orelse return null);
    const room = try allocator.alloc(u8, text.len + 1);
    room[0] = '+';
    var count: usize = 0;
    for (text) |letter| if (std.ascii.isDigit(letter)) {
        count += 1;
        room[count] = letter;
    };
    var digits = room[1 .. count + 1];
    const plus = text.len > 0 and text[0] == '+';
    const zeros = !plus and std.mem.startsWith(u8, digits, "00");
    if (zeros) digits = digits[2..];
    if (digits.len < 5 or digits.len > 15) return null;
    if (!plus and !zeros) return digits;
    const whole = room[if (zeros) 2 else 0 .. count + 1];
    whole[0] = '+';
    return whole;
}

pub fn cents(typed: ?[]const u8) ?i64 {
    var text = trim(typed orelse return null);
    const negative = text.len > 0 and text[0] == '-';
    if (negative) text = text[1..];
    var value: i64 = 0;
    var digits: usize = 0;
    var decimals: usize = 0;
    var point = false;
    for (text) |letter| switch (letter) {
        '.' => {
            if (point or digits == 0) return null;
            point = true;
        },
        ',' => if (point) return null,
        '0'...'9' => {
            value = std.math.mul(i64, value, 10) catch return null;
            value = std.math.add(i64, value, letter - '0') catch return null;
            digits += 1;
            if (point) decimals += 1;
        },
        else => return null,
    };
    if (digits == 0 or decimals > 2 or (point and decimals == 0)) return null;
    while (decimals < 2) : (decimals += 1) value = std.math.mul(i64, value, 10) catch return null;
    return if (negative) -value else value;
}
