//! Who may decide what, and what makes a determination lapse: Cedar policy and data under `policies/deciders/`.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::RestrictedExpression;
use serde::Deserialize;

use super::{
    LoadError,
    side::{self, Asked, Members, SideSet},
    source::PolicyFiles,
};
use crate::domain::words::{BodyKind, Determination, Post};

const FOLDER: &str = "deciders/";
const SCHEMA: &str = "deciders/deciders.cedarschema";
const LAPSE: &str = "deciders/lapse.json";

/// What a determination may rest on besides what it names; when that changes, it binds no more (law.md §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// The opinion recorded in the part's classification: a later opinion is a fresh start.
    Classification,
    /// The meeting or decision still to come: once it is over, other provisions ask another question.
    Meeting,
}

/// What is to be decided, and for which council.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub kind: Determination,
    pub profile: &'a str,
    /// About whoever decides it, or what they would be given.
    pub own: bool,
}

/// The policies about deciders, checked.
#[derive(Debug)]
pub struct Deciders {
    policies: SideSet,
    lapse: BTreeMap<Determination, Vec<RestsOn>>,
}

impl Deciders {
    pub fn load(files: &PolicyFiles) -> Result<Self, LoadError> {
        let text = files.text(LAPSE).ok_or(LoadError::NoFile(LAPSE))?;
        let lapse = serde_json::from_str(text)
            .map_err(|error| LoadError::Parse { file: LAPSE.to_owned(), why: error.to_string() })?;
        Ok(Self { policies: SideSet::load(files, FOLDER, SCHEMA)?, lapse })
    }

    /// Whether somebody in this post may decide it.
    pub fn post_may(&self, post: Post, case: Case<'_>) -> bool {
        self.may("post", side::word("Post", post.word()), case)
    }

    /// Whether a body of this kind may decide it itself.
    pub fn body_may(&self, body: BodyKind, case: Case<'_>) -> bool {
        self.may("body_kind", side::word("BodyKind", body.word()), case)
    }

    /// Every post that may decide it of others.
    pub fn posts(&self, kind: Determination, profile: &str) -> Vec<Post> {
        let case = Case { kind, profile, own: false };
        Post::ALL.iter().copied().filter(|post| self.post_may(*post, case)).collect()
    }

    /// What a determination of this kind rests on.
    pub fn rests_on(&self, kind: Determination) -> &[RestsOn] {
        self.lapse.get(&kind).map_or(&[], Vec::as_slice)
    }

    fn may(&self, attribute: &str, value: Option<RestrictedExpression>, case: Case<'_>) -> bool {
        let attributes: Members = value.map(|value| (attribute.to_owned(), value)).into_iter().collect();
        self.policies.allows(Asked {
            principal: "Decider",
            attributes,
            action: case.kind.word(),
            resource: "Council",
            context: HashMap::from([
                ("profile".to_owned(), RestrictedExpression::new_string(case.profile.to_owned())),
                ("own_case".to_owned(), RestrictedExpression::new_bool(case.own)),
            ]),
        })
    }
}
