//! What a policy says of itself, parsed once and refused if incomplete.

use std::{collections::BTreeMap, str::FromStr};

use cedar_policy::Policy;

use crate::domain::words::{Determination, Effect, Finding, InformationType, Layer, ObligationType, ReferralRole};

/// What a policy does in a decision. How roles combine stands in [`crate::pdp::combine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Settles what Schedule 12A makes of a part, before any rule is tried.
    Finding,
    /// A statutory right of access.
    Right,
    /// A common-law or protocol ground of access.
    Ground,
    /// A statutory prohibition: stops everything.
    MustWithhold,
    /// Stops grounds, never a right.
    Bar,
    /// Takes one part out of what a ground gives.
    Redact,
    /// Stops grounds until a person has answered, and refers the question.
    Suspend,
    /// Refers beside any outcome.
    Refer,
    /// Words a refusal that no ground prevented; bars nothing.
    Residual,
    Obligation,
    Information,
}

impl Role {
    const NAMES: [(&'static str, Self); 11] = [
        ("finding", Self::Finding),
        ("right", Self::Right),
        ("ground", Self::Ground),
        ("must_withhold", Self::MustWithhold),
        ("bar", Self::Bar),
        ("redact", Self::Redact),
        ("suspend", Self::Suspend),
        ("refer", Self::Refer),
        ("residual", Self::Residual),
        ("obligation", Self::Obligation),
        ("information", Self::Information),
    ];

    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }

    /// Whether its Cedar effect is `forbid`.
    pub fn forbids(self) -> bool {
        matches!(self, Self::MustWithhold | Self::Bar | Self::Redact | Self::Suspend)
    }

    /// Whether it can give access.
    pub fn gives(self) -> bool {
        matches!(self, Self::Right | Self::Ground)
    }

    /// Whether it is tried only once the outcome of the part is known.
    pub fn follows_outcome(self) -> bool {
        matches!(self, Self::Refer | Self::Residual | Self::Obligation | Self::Information)
    }

    /// How a reason names what the rule did.
    pub fn effect(self) -> Effect {
        match self {
            Self::Finding | Self::Right | Self::Ground => Effect::Permit,
            Self::MustWithhold | Self::Bar | Self::Residual => Effect::Forbid,
            Self::Redact => Effect::Redact,
            Self::Suspend | Self::Refer => Effect::Refer,
            Self::Obligation | Self::Information => Effect::Obligation,
        }
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::NAMES.iter().find(|(n, _)| *n == name).map(|(_, role)| *role).ok_or(())
    }
}

/// The annotations of one policy.
#[derive(Clone, Debug)]
pub struct Annotations {
    pub id: String,
    pub role: Role,
    pub layer: Layer,
    pub title: String,
    pub reason: String,
    pub since: String,
    pub status: String,
    /// Statute and common law name their rule themselves; protocol rules get theirs from the profile.
    pub rule: Option<String>,
    pub citation: Option<String>,
    /// Other rule ids this policy also carries.
    pub carries: Vec<String>,
    /// What is missing when the n-th condition fails.
    pub missing: Vec<String>,
    /// What would lift a bar.
    pub lifted_by: Option<String>,
    pub finding: Option<Finding>,
    pub obligation: Option<ObligationType>,
    pub information: Option<InformationType>,
    pub time_limit: Option<String>,
    pub refer_to: Vec<ReferralRole>,
    pub route: Option<String>,
    pub question: Option<Determination>,
    pub would_help: Option<String>,
    /// The special category of personal data a refusal by this rule rests on (F-22).
    pub special_category: Option<String>,
    /// What to print in place of a part it takes out.
    pub label: Option<String>,
}

/// What is wrong with a policy's annotations.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AnnotationFault {
    #[error("annotation `@{0}` is unknown")]
    Unknown(String),
    #[error("annotation `@{0}` is missing")]
    Missing(&'static str),
    #[error("annotation `@{0}` has the unknown value `{1}`")]
    Value(&'static str, String),
    #[error("`@missing_1` to `@missing_{conditions}` are needed, one for each condition; {found} found")]
    MissingTexts { conditions: usize, found: usize },
    #[error("`@role(\"{role}\")` needs a policy that {needs}s")]
    Effect { role: &'static str, needs: &'static str },
}

impl Annotations {
    pub fn parse(policy: &Policy, conditions: usize) -> Result<Self, AnnotationFault> {
        let mut all: BTreeMap<&str, &str> = policy.annotations().collect();
        let mut reader = Reader { left: &mut all };
        let role: Role = reader.word("role")?;
        let annotations = Self {
            id: reader.required("id")?,
            role,
            layer: reader.word("layer")?,
            title: reader.required("title")?,
            reason: reader.required("reason")?,
            since: reader.required("since")?,
            status: reader.required("status")?,
            rule: reader.optional("rule"),
            citation: reader.optional("citation"),
            carries: reader.list("carries"),
            missing: reader.missing(),
            lifted_by: reader.optional("missing"),
            finding: reader.optional_word("finding")?,
            obligation: reader.optional_word("obligation")?,
            information: reader.optional_word("information")?,
            time_limit: reader.optional("time_limit"),
            refer_to: reader.words("refer_to")?,
            route: reader.optional("route"),
            question: reader.optional_word("question")?,
            would_help: reader.optional("would_help"),
            special_category: reader.optional("special_category"),
            label: reader.optional("label"),
        };
        if let Some(unknown) = all.keys().next() {
            return Err(AnnotationFault::Unknown((*unknown).to_owned()));
        }
        annotations.complete(policy, conditions)?;
        Ok(annotations)
    }

    /// Each role has all it needs to be told.
    fn complete(&self, policy: &Policy, conditions: usize) -> Result<(), AnnotationFault> {
        let forbids = policy.effect() == cedar_policy::Effect::Forbid;
        if forbids != self.role.forbids() {
            let needs = if self.role.forbids() { "forbid" } else { "permit" };
            return Err(AnnotationFault::Effect { role: self.role.name(), needs });
        }
        let need = |present: bool, name| if present { Ok(()) } else { Err(AnnotationFault::Missing(name)) };
        if self.layer != Layer::Protocol {
            need(self.rule.is_some(), "rule")?;
            need(self.citation.is_some(), "citation")?;
        }
        match self.role {
            Role::Right | Role::Ground if self.missing.len() != conditions => {
                return Err(AnnotationFault::MissingTexts { conditions, found: self.missing.len() });
            }
            Role::Finding => need(self.finding.is_some(), "finding")?,
            Role::Obligation => need(self.obligation.is_some(), "obligation")?,
            Role::Information => need(self.information.is_some(), "information")?,
            Role::Suspend | Role::Refer => {
                need(!self.refer_to.is_empty() || self.route.is_some(), "refer_to")?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Takes annotations out one by one; what is left over is unknown.
struct Reader<'a, 'b> {
    left: &'a mut BTreeMap<&'b str, &'b str>,
}

impl Reader<'_, '_> {
    fn optional(&mut self, name: &str) -> Option<String> {
        self.left.remove(name).map(str::to_owned)
    }

    fn required(&mut self, name: &'static str) -> Result<String, AnnotationFault> {
        self.optional(name).filter(|text| !text.is_empty()).ok_or(AnnotationFault::Missing(name))
    }

    fn optional_word<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, AnnotationFault> {
        self.optional(name).map(|word| word.parse().map_err(|_| AnnotationFault::Value(name, word))).transpose()
    }

    fn word<T: FromStr>(&mut self, name: &'static str) -> Result<T, AnnotationFault> {
        self.optional_word(name)?.ok_or(AnnotationFault::Missing(name))
    }

    fn list(&mut self, name: &str) -> Vec<String> {
        self.optional(name)
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
            .unwrap_or_default()
    }

    fn words<T: FromStr>(&mut self, name: &'static str) -> Result<Vec<T>, AnnotationFault> {
        self.list(name).into_iter().map(|word| word.parse().map_err(|_| AnnotationFault::Value(name, word))).collect()
    }

    /// `@missing_1`, `@missing_2`, … without a gap.
    fn missing(&mut self) -> Vec<String> {
        (1..).map_while(|n| self.optional(&format!("missing_{n}"))).collect()
    }
}
