//! SQL as text: tokens, statements, positions, directives, checksums, findings. Runs nothing.
//!
//! SQLite's own parser is the authority wherever a statement is run; what is here finds windows in a
//! text and looks at it before anything runs.

pub(crate) mod atlas;
mod check;
mod connection;
mod directive;
mod enclosed;
mod lexer;
mod nearest;
mod normalise;
mod outside;
mod position;
mod precondition;
mod replaces;
mod slot;
mod split;
mod word;

pub use check::{Finding, Severity, check};
pub use connection::may_change_connection;
pub(crate) use directive::after_mark;
pub use directive::{DirectiveProblem, Directives, TransactionMode, check_library, dependencies, directives};
pub use enclosed::leaves_parentheses;
pub use lexer::{Token, TokenKind, tokens};
pub use nearest::nearest;
pub use normalise::normalise;
pub use outside::{Standing, makes_temporary, standing};
pub use position::{Position, line_at, locate};
pub use precondition::{Precondition, Unmet};
pub use replaces::replaces;
pub use slot::{Otherwise, Slot, is_name, slots, variables};
pub use split::statements;
pub use word::{Word, keys_are_off, step_out, steps_out, switches_keys_off, word};
