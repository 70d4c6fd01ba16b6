//! The same as a transform: the host reads and writes.

const whimbrel = @import("whimbrel");

pub const panic = whimbrel.panic;

comptime {
    whimbrel.exportTransform(@import("mend.zig").mend);
    whimbrel.exportVerify(@import("verify.zig").verify);
}
