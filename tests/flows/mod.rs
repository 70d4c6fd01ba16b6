//! Whole stories, from files to database.

mod guests;
mod languages;
