//! The business a paper serves: an item at a meeting, or a decision by one person (contract §3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    fact::Fact,
    id::Id,
    words::{BodyKind, BusinessStatus, DecisionMaker, Governance, ItemOpenness, Regime},
};

/// A meeting entry has `body`; a decision entry has `made_by`. Members left out are unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Business {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<DecisionMaker>,
    pub status: BusinessStatus,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub meeting_at: Fact<Timestamp>,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub convened_at: Fact<Timestamp>,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub item_added_at: Fact<Timestamp>,
    /// The plan before a meeting, the fact after it.
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub private: Fact<bool>,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub concluded_at: Fact<Timestamp>,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub item_was_open: Fact<ItemOpenness>,
    #[serde(default, skip_serializing_if = "Fact::is_unknown")]
    pub made_at: Fact<Timestamp>,
}

impl Regime {
    /// The law that governs business of a body of this kind.
    ///
    /// S-100E-1, S-100E-2 (committees, scrutiny, s102(4) advisory and joint committees), S-100E-3 (forums are
    /// outside), S-100E-5 and R-2-4 (the executive), R-2-10 (only a council with executive arrangements has one).
    pub fn of_body(kind: BodyKind, governance: Governance) -> Self {
        match kind {
            BodyKind::Executive | BodyKind::ExecutiveCommittee => match governance {
                Governance::Executive => Self::Executive,
                Governance::CommitteeSystem => Self::Outside,
            },
            BodyKind::Council
            | BodyKind::Committee
            | BodyKind::SubCommittee
            | BodyKind::OverviewAndScrutiny
            | BodyKind::ScrutinySubCommittee
            | BodyKind::JointCommittee
            | BodyKind::Advisory => Self::PartVa,
            BodyKind::Forum => Self::Outside,
        }
    }

    /// The law that governs a decision by one person (R-2-4, O-7-1).
    pub fn of_decision(maker: DecisionMaker, governance: Governance) -> Self {
        match (maker, governance) {
            (DecisionMaker::NonexecutiveOfficer, _) => Self::OfficerDecision,
            (_, Governance::Executive) => Self::Executive,
            (_, Governance::CommitteeSystem) => Self::Outside,
        }
    }
}
