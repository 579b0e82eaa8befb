//! The policies, proved: tables a lawyer can read, a matrix reviewed as a diff, and mutations that must be noticed.
//!
//! `tables/*.md` hold one question a row, asked of `cast.json` and `papers/*.json` through the real gatherer and
//! evaluator. Checked are the outcome, the reasons, the duties and the referral.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[allow(dead_code, reason = "its comparison of JSON is for the guides of the API")]
#[path = "../support/guide.rs"]
mod guide;

mod authoring;
mod conflicts;
mod explanations;
mod loader;
mod matrix;
mod mutation;
mod reference;
mod row;
mod tables;
mod world;
