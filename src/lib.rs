//! Pinkpaper decides, lawfully and provably, who may see which council paper.
//!
//! The story is [`app::decide`]: gather ([`pip`]), evaluate ([`pdp`], with the policies of [`pap`]), record
//! ([`audit`]), answer ([`http`]). Words come from [`domain`]; [`store`] keeps facts and log.

#![forbid(unsafe_code)]

pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http;
pub mod import;
pub mod outbound;
pub mod pap;
pub mod pdp;
pub mod pip;
pub mod publish;
pub mod spreadsheet;
pub mod store;
pub mod telemetry;
