//! Every limit there is, in one table.

use std::time::Duration;

use super::amount;

/// What an amount counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Time,
}

/// Declares the limits: variant, key, unit, default, and what is limited.
macro_rules! limits {
    ($($name:ident $key:literal $unit:ident $default:expr, $about:literal;)+) => {
        /// One thing that a code migration may only use so much of.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Limit {
            $(#[doc = concat!($about, ".")] $name,)+
        }

        impl Limit {
            /// All limits, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns its key in the `[limits]` of a manifest or a policy.
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// Returns what its amount counts.
            pub fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)+ }
            }

            /// Returns the amount where neither manifest nor policy says anything.
            pub fn default_amount(self) -> u64 {
                match self { $(Self::$name => $default,)+ }
            }

            /// Says what is limited.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)+ }
            }
        }
    };
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

limits! {
    Fuel "fuel" Count 1_000_000_000_000, "Units of work in the sandbox: roughly, instructions";
    SqlOperations "sql_operations" Count 1_000_000_000_000, "Operations of the database's virtual machine";
    Time "time" Time HOUR, "Wall time of the call, statements included";
    Memory "memory" Bytes 512 * MIB, "Bytes of memory, all memories of all instances together";
    Memories "memories" Count 100, "Memories, of all instances together";
    Tables "tables" Count 1_000, "Tables, of all instances together";
    TableElements "table_elements" Count 1_000_000, "Elements of all tables together";
    Instances "instances" Count 1_000, "Instances of the component's modules";
    OpenHandles "open_handles" Count 100_000, "Handles held at the same time, of every kind";
    OpenCursors "open_cursors" Count 4_096, "Queries held open at the same time, in the middle of their rows";
    OpenStatements "open_statements" Count 4_096, "Prepared statements held at the same time";
    OpenSavepoints "open_savepoints" Count 256, "Savepoints inside each other";
    Statements "statements" Count 10_000_000_000, "Statements prepared or run; each row of a batch counts";
    RowsRead "rows_read" Count 10_000_000_000, "Rows handed to the guest";
    RowsWritten "rows_written" Count 10_000_000_000, "Rows inserted, updated and deleted, by triggers and cascades too";
    BytesPerCall "bytes_per_call" Bytes 64 * MIB, "Bytes in one call across the boundary, each direction by itself";
    Bytes "bytes" Bytes TIB, "Bytes across the boundary, both directions together";
    LogLines "log_lines" Count 10_000, "Lines of log; what is beyond is dropped";
    LogBytes "log_bytes" Bytes MIB, "Bytes of log; what is beyond is dropped";
    StatementLength "statement_length" Bytes 4 * MIB, "Bytes of one statement's text";
    ValueLength "value_length" Bytes 128 * MIB, "Bytes of one text, blob or row inside the database";
    SqlMemory "sql_memory" Bytes GIB, "Bytes of memory that the database takes while the migration runs";
    ExpressionDepth "expression_depth" Count 1_000, "Depth of an expression in a statement";
    CompoundSelect "compound_select" Count 500, "Terms of a UNION, INTERSECT or EXCEPT";
    ProgramLength "program_length" Count 10_000_000, "Operations that one statement compiles to";
    Parameters "parameters" Count 32_766, "Parameters of one statement";
    TriggerDepth "trigger_depth" Count 1_000, "Triggers and cascades that set off each other";
    LikePattern "like_pattern" Bytes 50_000, "Bytes of a pattern of LIKE or GLOB";
    DatabaseGrowth "database_growth" Bytes 16 * GIB, "Bytes by which the database may grow";
    ComponentSize "component_size" Bytes 64 * MIB, "Bytes of the component";
    CompileTime "compile_time" Time 120 * SECOND, "Processor time to compile the component in a process of its own";
    CompileMemory "compile_memory" Bytes 2 * GIB, "Bytes of memory to compile the component in a process of its own";
}

impl Limit {
    /// Finds a limit by its key.
    pub fn by_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|limit| limit.key() == key)
    }

    /// Writes an amount of what is limited as a manifest takes it.
    pub(super) fn text(self, amount: u64) -> String {
        match self.unit() {
            Unit::Count => amount.to_string(),
            Unit::Bytes => amount::bytes(amount).replace(" bytes", "").replace(' ', ""),
            Unit::Time => amount::time(Duration::from_millis(amount)),
        }
    }

    /// Writes an amount of what is limited as a person reads it.
    pub fn amount(self, amount: u64) -> String {
        match self.unit() {
            Unit::Count => amount.to_string(),
            Unit::Bytes => amount::bytes(amount),
            Unit::Time => amount::time(Duration::from_millis(amount)),
        }
    }
}

/// The page of the documentation lists them all; a reader should find every number there.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_limit_with_its_default() {
        let page = include_str!("../../docs/limits.md");
        for limit in Limit::ALL {
            let default = match limit.unit() {
                Unit::Count => grouped(limit.default_amount()),
                Unit::Bytes | Unit::Time => limit.amount(limit.default_amount()),
            };
            let row = format!("| `{}` | {default} | {} |", limit.key(), limit.about());
            assert!(page.contains(&row), "limits.md lacks: {row}");
        }
    }

    fn grouped(number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }

    #[test]
    fn keys_are_words_and_unique() {
        for limit in Limit::ALL {
            assert_eq!(Limit::by_key(limit.key()), Some(*limit));
            assert!(limit.key().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
        assert_eq!(Limit::by_key("fule"), None);
    }
}
