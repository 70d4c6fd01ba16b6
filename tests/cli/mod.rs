//! The command line: each verb, the settings, and everything a user can do wrong.

mod adopt;
mod bad_component;
mod bad_database;
mod bad_files;
mod bad_history;
mod chains;
mod colour;
mod components;
mod down;
mod dry_run;
mod exit_codes;
mod history;
mod init;
mod inspect;
mod json;
mod lock;
mod new;
mod plan;
mod scripts;
mod settings;
mod signals;
mod status;
mod strategies;
mod timeout;
mod up;
mod verify;
