//! The tools whose histories can be taken over.

use std::fmt;
use std::str::FromStr;

use crate::sql;

/// A migration tool.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Tool {
    /// sqlx.
    Sqlx,
    /// refinery.
    Refinery,
    /// Flyway.
    Flyway,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// dbmate.
    Dbmate,
    /// diesel.
    Diesel,
    /// Rails (Active Record).
    Rails,
    /// Prisma.
    Prisma,
    /// Atlas.
    Atlas,
    /// Drizzle.
    Drizzle,
    /// D1, as Cloudflare's wrangler migrates it.
    D1,
    /// SeaORM.
    SeaOrm,
    /// Alembic.
    Alembic,
    /// Django.
    Django,
    /// Liquibase.
    Liquibase,
    /// tern.
    Tern,
    /// Sqitch.
    Sqitch,
    /// Knex.
    Knex,
    /// Kysely.
    Kysely,
    /// TypeORM.
    TypeOrm,
    /// Sequelize, and Umzug where it keeps its history for it.
    Sequelize,
    /// Laravel.
    Laravel,
    /// Entity Framework Core.
    EfCore,
}

/// How much of a history can be taken over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takeover {
    /// A row for each migration.
    Each,
    /// One row that says: what is there now is where we begin.
    Baseline,
}

/// A word that names no tool.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{}\" is no tool whose history can be taken over{}", text.escape_debug(), hint(text))]
pub struct UnknownTool {
    /// What was given.
    pub text: String,
}

fn hint(text: &str) -> String {
    match sql::nearest(text, Tool::ALL.map(Tool::as_str)) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => format!(": there are {}", Tool::ALL.map(Tool::as_str).join(", ")),
    }
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 24] = [
        Self::Sqlx,
        Self::Refinery,
        Self::Flyway,
        Self::GolangMigrate,
        Self::Goose,
        Self::Dbmate,
        Self::Diesel,
        Self::Rails,
        Self::Prisma,
        Self::Atlas,
        Self::Drizzle,
        Self::D1,
        Self::SeaOrm,
        Self::Alembic,
        Self::Django,
        Self::Liquibase,
        Self::Tern,
        Self::Sqitch,
        Self::Knex,
        Self::Kysely,
        Self::TypeOrm,
        Self::Sequelize,
        Self::Laravel,
        Self::EfCore,
    ];

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Flyway => "flyway",
            Self::GolangMigrate => "golang-migrate",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::Diesel => "diesel",
            Self::Rails => "rails",
            Self::Prisma => "prisma",
            Self::Atlas => "atlas",
            Self::Drizzle => "drizzle",
            Self::D1 => "d1",
            Self::SeaOrm => "sea-orm",
            Self::Alembic => "alembic",
            Self::Django => "django",
            Self::Liquibase => "liquibase",
            Self::Tern => "tern",
            Self::Sqitch => "sqitch",
            Self::Knex => "knex",
            Self::Kysely => "kysely",
            Self::TypeOrm => "typeorm",
            Self::Sequelize => "sequelize",
            Self::Laravel => "laravel",
            Self::EfCore => "ef-core",
        }
    }

    /// Tells how much of its history can be taken over.
    pub fn takeover(self) -> Takeover {
        match self {
            Self::Alembic
            | Self::Django
            | Self::Liquibase
            | Self::Tern
            | Self::Sqitch
            | Self::Knex
            | Self::Kysely
            | Self::TypeOrm
            | Self::Sequelize
            | Self::Laravel
            | Self::EfCore => Takeover::Baseline,
            _ => Takeover::Each,
        }
    }

    /// Tells whether its migrations are code, so that no folder of scripts has them.
    pub(super) fn has_code_only(self) -> bool {
        matches!(self, Self::Rails | Self::SeaOrm)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Tool {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        let known = Self::ALL.into_iter().find(|tool| tool.as_str() == text);
        known.ok_or_else(|| UnknownTool { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_it_writes() {
        for tool in Tool::ALL {
            assert_eq!(tool.to_string().parse(), Ok(tool));
        }
        let error = "flywai".parse::<Tool>().expect_err("unknown");
        assert_eq!(error.to_string(), "\"flywai\" is no tool whose history can be taken over: did you mean `flyway`?");
    }
}
