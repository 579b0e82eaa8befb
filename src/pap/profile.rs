//! A profile: which rules a council has, under which paragraphs, with which titles, routes and time limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    calendar::TimeLimit,
    words::{Post, ReferralRole},
};

/// `policies/profiles/<id>.json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub id: String,
    pub title: String,
    /// What to bear in mind about the text.
    pub standing: String,
    pub instrument: Instrument,
    /// What this council calls its posts.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// Whom to ask when an evaluation fails.
    pub adviser: ReferralRole,
    /// Named lists of roles, in the order to be asked.
    #[serde(default)]
    pub routes: BTreeMap<String, Vec<ReferralRole>>,
    /// Posts from the first asked to the final one; a later determination further along supersedes an earlier one.
    pub precedence: Vec<Vec<Post>>,
    /// Names of bodies whose members the text singles out.
    #[serde(default)]
    pub named_bodies: Vec<String>,
    #[serde(default)]
    pub time_limits: BTreeMap<String, TimeLimit>,
    pub rules: Vec<Selection>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub name: String,
    #[serde(default)]
    pub url: Option<String>,
}

/// A rule of this council, carried by a policy.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    pub policy: String,
    /// May be left out for a common-law policy, which names its own.
    #[serde(default)]
    pub rule: Option<String>,
    /// Other rule ids of this council that the same policy carries.
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(default)]
    pub paragraph: Option<String>,
    /// Where the paragraph stands in another text than the profile's own.
    #[serde(default)]
    pub instrument: Option<Instrument>,
    /// Local wording in place of the policy's own.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Profile {
    /// How far along the referral route a post stands; higher is later.
    pub fn rank(&self, post: Post) -> usize {
        self.precedence.iter().position(|posts| posts.contains(&post)).map_or(0, |at| at + 1)
    }

    /// Whether a post is the last on the route.
    pub fn is_final(&self, post: Post) -> bool {
        self.precedence.last().is_some_and(|posts| posts.contains(&post))
    }

    /// Whether the text singles out a body of this name.
    pub fn names(&self, body: &str) -> bool {
        self.named_bodies.iter().any(|name| name.eq_ignore_ascii_case(body.trim()))
    }

    /// The local title of a post or role.
    pub fn title_of<'a>(&'a self, role: &'a str) -> Option<&'a str> {
        self.titles.get(role).map(String::as_str)
    }
}
