//! The council's own words, as types that cannot hold nonsense.
//!
//! A paper ([`document`]) has parts, serves [`business`], and may carry a classification; a person of the
//! [`register`] holds office, sits on bodies, has interests; someone asks a [`question`], a person or body has
//! recorded a [`determination`], and the answer is a [`decision`].
//!
//! Nothing here knows a rule, a policy, HTTP or a database. What is *unknown* stays unknown ([`fact::Fact`]): a
//! member left out of a document is not `false`.
//!
//! Worked example: Cllr B. One asks to read `edrms:2026/0117`. The request parses into a
//! [`question::Request`]; its document's Appendix B parses into a [`document::Part`] whose `published_at` is
//! `Fact::None` (known to be none) and whose `environmental` is `Fact::Unknown`.
//!
//! Where next: [`crate::pip`] gathers these into the facts of one case.

pub mod business;
pub mod calendar;
pub mod decision;
pub mod determination;
pub mod document;
pub mod fact;
pub mod hold;
pub mod id;
pub mod question;
pub mod referral;
pub mod register;
pub mod relative;
pub mod retention;
pub mod words;
