//! `pinkpaper register import` and `export`, run as an operator runs them; and laws of the readers behind them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../support/postgres.rs"]
mod cluster;
#[allow(dead_code, reason = "not every test binary needs it")]
#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod desk;
mod faults;
mod laws;
mod moderngov;
mod others;
mod places;
mod spans;
mod web;
