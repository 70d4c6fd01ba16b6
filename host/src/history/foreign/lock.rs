//! The keys of the locks that other tools take while they migrate, so that ours and theirs do not run at once. Pure.
//!
//! In a SQLite file the transaction in which a history is taken over keeps every other writer out, so no key is needed.

use super::Tool;

/// Returns the key of the advisory lock that a tool takes on PostgreSQL for a database; `None` if it takes none or one
/// that does not have a number.
pub fn advisory_key(tool: Tool, database: &str, schema: &str, table: &str) -> Option<i64> {
    let crc = |text: &str| i64::from(crc32fast::hash(text.as_bytes()));
    match tool {
        Tool::Sqlx => Some(0x3d32_ad9e_i64.wrapping_mul(crc(database))),
        Tool::Rails => Some(2_053_462_845_i64.wrapping_mul(crc(database))),
        Tool::GolangMigrate => {
            let sum = crc(&format!("{schema}\0{table}\0{database}")).wrapping_mul(1_486_364_155);
            Some(sum & 0xffff_ffff)
        }
        Tool::Goose => Some(4_097_083_626),
        Tool::Tern => Some(9_628_173_550_095_224),
        Tool::Sqitch => Some(75_474_063),
        Tool::Prisma => Some(72_707_369),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_key_of_each_tool() {
        let cases = [
            (Tool::Sqlx, Some(3_469_795_979_745_788_610)),
            (Tool::Rails, Some(6_939_591_962_871_035_475)),
            (Tool::GolangMigrate, Some(1_787_120_056)),
            (Tool::Goose, Some(4_097_083_626)),
            (Tool::Tern, Some(9_628_173_550_095_224)),
            (Tool::Sqitch, Some(75_474_063)),
            (Tool::Prisma, Some(72_707_369)),
            (Tool::Diesel, None),
        ];
        for (tool, key) in cases {
            assert_eq!(advisory_key(tool, "app", "public", "schema_migrations"), key, "{tool}");
        }
    }
}
