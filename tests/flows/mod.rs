//! Whole stories, from files to database.

mod crash;
mod guests;
mod house;
mod languages;
mod library;
