//! The service as a caller meets it: real HTTP, a real database, every answer checked against the description.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../support/postgres.rs"]
mod cluster;
#[path = "../support/mod.rs"]
mod support;

mod backup;
mod callers;
mod cases;
mod decisions;
mod demo;
mod determinations;
mod documents;
mod door;
mod erase_command;
mod erasure;
mod examples;
mod explanation;
mod faults;
mod holds;
mod issuer;
mod log;
mod referrals;
mod register;
mod replay;
mod replay_command;
mod replicas;
mod silence;
mod tls;
mod tokens;
mod witness;
