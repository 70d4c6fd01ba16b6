//! The packed form of rows; packed.md beside the contract is its specification. Needs no host.

const std = @import("std");
const Allocator = std.mem.Allocator;

pub const Kind = enum(u8) { null, integer, real, text, blob, boolean };
pub const mixed: u8 = 255;

const max_rows = 1 << 20;
const max_columns = 32767;

/// One cell. Texts and blobs belong to somebody else.
pub const Cell = union(Kind) {
    null,
    integer: i64,
    real: f64,
    text: []const u8,
    blob: []const u8,
    boolean: bool,
};

/// Makes a cell of a text that may be missing.
pub fn optionalText(value: ?[]const u8) Cell {
    return if (value) |text| .{ .text = text } else .null;
}

/// Makes a cell of an integer that may be missing.
pub fn optionalInteger(value: ?i64) Cell {
    return if (value) |integer| .{ .integer = integer } else .null;
}

pub const Column = struct {
    kind: u8 = 0,
    tags: []const u8 = &.{},
    words: []const u8 = &.{},
    heap: []const u8 = &.{},

    fn word(self: Column, row: usize) u64 {
        return std.mem.readInt(u64, self.words[row * 8 ..][0..8], .little);
    }

    fn code(self: Column, row: usize) u8 {
        return if (self.tags.len != 0) self.tags[row] else self.kind;
    }
};

/// Rows in packed form. Check it before its cells are read.
pub const Batch = struct {
    rows: u32,
    columns: []const Column,

    /// Returns a cell of a checked batch.
    pub fn cell(self: Batch, row: usize, number: usize) Cell {
        const column = self.columns[number];
        const word = column.word(row);
        return switch (@as(Kind, @enumFromInt(column.code(row)))) {
            .null => .null,
            .integer => .{ .integer = @bitCast(word) },
            .real => .{ .real = @bitCast(word) },
            .boolean => .{ .boolean = word == 1 },
            .text => .{ .text = bytes(column, word) },
            .blob => .{ .blob = bytes(column, word) },
        };
    }

    fn bytes(column: Column, word: u64) []const u8 {
        const start: usize = @intCast(word & 0xffff_ffff);
        return column.heap[start..][0..@intCast(word >> 32)];
    }

    /// Looks at everything the packed form demands; returns what is wrong, or null.
    pub fn check(self: Batch) ?Malformed {
        if (self.rows > max_rows) return .{ .reason = "too-many-rows" };
        if (self.columns.len > max_columns) return .{ .reason = "too-many-columns" };
        for (self.columns, 0..) |column, index| {
            if (checkColumn(column, self.rows)) |fault| {
                return .{ .reason = fault.reason, .column = index, .row = fault.row };
            }
        }
        return null;
    }
};

/// What is wrong with a batch, and where.
pub const Malformed = struct { reason: []const u8, column: ?usize = null, row: ?usize = null };

fn checkColumn(column: Column, rows: usize) ?Malformed {
    const is_mixed = column.kind == mixed;
    const text = @intFromEnum(Kind.text);
    const blob = @intFromEnum(Kind.blob);
    if (column.kind > 5 and !is_mixed) return .{ .reason = "unknown-kind" };
    if (column.words.len != rows * 8) return .{ .reason = "words-length" };
    if (column.tags.len != 0 and column.tags.len != rows) return .{ .reason = "tags-length" };
    if (is_mixed and column.tags.len == 0 and rows > 0) return .{ .reason = "tags-missing" };
    for (column.tags, 0..) |tag, row| {
        if (tag > 5) return .{ .reason = "unknown-tag", .row = row };
        if (!is_mixed and tag != 0 and tag != column.kind) return .{ .reason = "tag-mismatch", .row = row };
    }
    if (!is_mixed and column.kind != text and column.kind != blob and column.heap.len != 0) return .{ .reason = "heap-unused" };
    const whole = column.kind != text or std.unicode.utf8ValidateSlice(column.heap);
    var total: u64 = 0;
    for (0..rows) |row| {
        const word = column.word(row);
        const start = word & 0xffff_ffff;
        const end = start + (word >> 32);
        const code = column.code(row);
        if (code == 0 and word != 0) return .{ .reason = "null-word", .row = row };
        if (code == 5 and word > 1) return .{ .reason = "boolean-word", .row = row };
        if (code != text and code != blob) continue;
        if (end > column.heap.len) return .{ .reason = "heap-range", .row = row };
        if (column.kind == text and whole and (cuts(column.heap, start) or cuts(column.heap, end))) return .{ .reason = "utf8", .row = row };
        total += end - start;
        if (total > column.heap.len) return .{ .reason = "heap-shared", .row = row };
        if (is_mixed and code == text and !std.unicode.utf8ValidateSlice(column.heap[@intCast(start)..@intCast(end)])) return .{ .reason = "utf8", .row = row };
    }
    if (whole) return null;
    const valid = validUpTo(column.heap);
    for (0..rows) |row| {
        const word = column.word(row);
        const start = word & 0xffff_ffff;
        if (start <= valid and valid < start + (word >> 32)) return .{ .reason = "utf8", .row = row };
    }
    return .{ .reason = "utf8" };
}

fn cuts(heap: []const u8, at: u64) bool {
    return at < heap.len and heap[@intCast(at)] & 0xc0 == 0x80;
}

fn validUpTo(text: []const u8) usize {
    var at: usize = 0;
    while (at < text.len) {
        const length = std.unicode.utf8ByteSequenceLength(text[at]) catch return at;
        if (at + length > text.len or !std.unicode.utf8ValidateSlice(text[at..][0..length])) return at;
        at += length;
    }
    return at;
}

const Building = struct {
    kind: u8 = 0,
    tags: std.ArrayList(u8) = .empty,
    words: std.ArrayList(u8) = .empty,
    heap: std.ArrayList(u8) = .empty,
};

/// Builds batches cell by cell.
pub const Builder = struct {
    allocator: Allocator,
    building: []Building,
    columns: []Column,
    bytes: usize = 0,

    pub fn init(allocator: Allocator, width: usize) !Builder {
        const building = try allocator.alloc(Building, width);
        for (building) |*each| each.* = .{};
        return .{ .allocator = allocator, .building = building, .columns = try allocator.alloc(Column, width) };
    }

    pub fn deinit(self: *Builder) void {
        for (self.building) |*each| {
            each.tags.deinit(self.allocator);
            each.words.deinit(self.allocator);
            each.heap.deinit(self.allocator);
        }
        self.allocator.free(self.building);
        self.allocator.free(self.columns);
    }

    /// Counts the cells of the last column.
    pub fn rows(self: *const Builder) usize {
        return if (self.building.len == 0) 0 else self.building[self.building.len - 1].words.items.len / 8;
    }

    pub fn push(self: *Builder, number: usize, value: Cell) !void {
        const column = &self.building[number];
        const word: u64 = switch (value) {
            .null => 0,
            .integer => |integer| @bitCast(integer),
            .real => |real| @bitCast(real),
            .boolean => |boolean| @intFromBool(boolean),
            .text, .blob => |slice| word: {
                if (value == .text and !std.unicode.utf8ValidateSlice(slice)) return error.NotUtf8;
                const start: u64 = column.heap.items.len;
                if (start + slice.len > std.math.maxInt(u32)) return error.BatchFull;
                try column.heap.appendSlice(self.allocator, slice);
                self.bytes += slice.len;
                break :word start | @as(u64, slice.len) << 32;
            },
        };
        try self.pushWord(column, @intFromEnum(value), word);
    }

    fn pushWord(self: *Builder, column: *Building, kind: u8, word: u64) !void {
        const before = column.words.items.len / 8;
        var little: [8]u8 = undefined;
        std.mem.writeInt(u64, &little, word, .little);
        try column.words.appendSlice(self.allocator, &little);
        if (kind == column.kind and column.tags.items.len == 0) return;
        if (column.tags.items.len == 0) try column.tags.appendNTimes(self.allocator, column.kind, before);
        if (kind != 0 and kind != column.kind) column.kind = if (column.kind == 0) kind else mixed;
        if (before > 0) try column.tags.append(self.allocator, kind);
    }

    /// Returns the batch, which stays the builder's.
    pub fn finish(self: *Builder) !Batch {
        const count = self.rows();
        for (self.building, self.columns) |*each, *column| {
            if (each.words.items.len != count * 8) return error.UnevenColumns;
            column.* = .{ .kind = each.kind, .tags = each.tags.items, .words = each.words.items, .heap = each.heap.items };
        }
        return .{ .rows = @intCast(count), .columns = self.columns };
    }

    /// Drops all cells and keeps the memory.
    pub fn clear(self: *Builder) void {
        for (self.building) |*each| {
            each.kind = 0;
            each.tags.clearRetainingCapacity();
            each.words.clearRetainingCapacity();
            each.heap.clearRetainingCapacity();
        }
        self.bytes = 0;
    }
};
