//! Whole stories, from files to database.

mod adopt;
mod adopt_tools;
mod comparison;
mod crash;
mod determinism;
mod disk;
mod functions;
mod grants;
mod guests;
mod hooks;
mod hostile;
mod house;
mod interrupt;
mod languages;
mod layouts;
mod library;
mod limits;
mod pages;
mod polyglot;
mod processes;
mod repeatable;
mod round_trip;
mod several_chains;
mod sources;
mod test_kit;
mod transforms;
