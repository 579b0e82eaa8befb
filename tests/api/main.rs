//! The service as a caller meets it: real HTTP, a real database, every answer checked against the description.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../support/postgres.rs"]
mod cluster;
#[path = "../support/collector.rs"]
mod collector;
#[path = "../support/demo.rs"]
mod demonstration;
#[path = "../support/guide.rs"]
mod guide;
#[path = "../support/program.rs"]
mod program;
#[allow(dead_code, reason = "what the tests of the store do to a commit")]
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;

mod audience;
mod backup;
mod callers;
mod cases;
mod command_line;
mod decisions;
mod demo;
mod desk;
mod determinations;
mod documents;
mod door;
mod enforcement;
mod enquiries;
mod erase_command;
mod erasure;
mod examples;
mod explanation;
mod faults;
mod forged;
mod guides;
mod holds;
mod issuer;
mod log;
mod policies;
mod referrals;
mod register;
mod replay;
mod replay_command;
mod replicas;
mod shutdown;
mod silence;
mod statistics;
mod telemetry;
mod tls;
mod tokens;
mod witness;
