//! What a caller of the service may do: Cedar policy too, with a small schema of its own (`policies/callers/`).

use std::collections::HashMap;

use cedar_policy::RestrictedExpression;

use super::{
    LoadError,
    side::{self, Asked, SideSet},
    source::PolicyFiles,
};
use crate::domain::words::CallerRole;

const FOLDER: &str = "callers/";
const SCHEMA: &str = "callers/callers.cedarschema";

/// What a caller wants of the service. Each route of the API asks for exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    Decide,
    ReadDecision,
    ListDecisions,
    Determine,
    ReadDeterminations,
    ReadRegister,
    WriteRegister,
    ReadDocuments,
    WriteDocuments,
    ReadPolicies,
    ExplainInFull,
    ReadReferrals,
    CloseReferral,
    CheckLog,
    ExportLog,
    KeepHolds,
    ReadHolds,
    EraseRecords,
    ReplayDecision,
    ReloadPolicies,
    ReadMetrics,
    Enquire,
    ListAudience,
}

impl Errand {
    pub const ALL: [Self; 23] = [
        Self::Decide,
        Self::ReadDecision,
        Self::ListDecisions,
        Self::Determine,
        Self::ReadDeterminations,
        Self::ReadRegister,
        Self::WriteRegister,
        Self::ReadDocuments,
        Self::WriteDocuments,
        Self::ReadPolicies,
        Self::ExplainInFull,
        Self::ReadReferrals,
        Self::CloseReferral,
        Self::CheckLog,
        Self::ExportLog,
        Self::KeepHolds,
        Self::ReadHolds,
        Self::EraseRecords,
        Self::ReplayDecision,
        Self::ReloadPolicies,
        Self::ReadMetrics,
        Self::Enquire,
        Self::ListAudience,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::ReadDecision => "read_decision",
            Self::ListDecisions => "list_decisions",
            Self::Determine => "determine",
            Self::ReadDeterminations => "read_determinations",
            Self::ReadRegister => "read_register",
            Self::WriteRegister => "write_register",
            Self::ReadDocuments => "read_documents",
            Self::WriteDocuments => "write_documents",
            Self::ReadPolicies => "read_policies",
            Self::ExplainInFull => "explain_in_full",
            Self::ReadReferrals => "read_referrals",
            Self::CloseReferral => "close_referral",
            Self::CheckLog => "check_log",
            Self::ExportLog => "export_log",
            Self::KeepHolds => "keep_holds",
            Self::ReadHolds => "read_holds",
            Self::EraseRecords => "erase_records",
            Self::ReplayDecision => "replay_decision",
            Self::ReloadPolicies => "reload_policies",
            Self::ReadMetrics => "read_metrics",
            Self::Enquire => "enquire",
            Self::ListAudience => "list_audience",
        }
    }
}

/// In what circumstances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// About the person the caller speaks for.
    pub about_self: bool,
    /// Made at this caller's request; of a determination: entered by this caller, or decided by the person it speaks for.
    pub own: bool,
    /// Put to a post that the person the caller speaks for holds.
    pub addressed: bool,
    /// With a credential of one person's own, and the register does not know whose.
    pub nobody_known: bool,
}

impl Circumstances {
    /// Every combination.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..16).map(|bits| Self {
            about_self: bits & 1 != 0,
            own: bits & 2 != 0,
            addressed: bits & 4 != 0,
            nobody_known: bits & 8 != 0,
        })
    }
}

/// The policies about callers, checked.
#[derive(Debug)]
pub struct CallerPolicies(SideSet);

impl CallerPolicies {
    pub fn load(files: &PolicyFiles) -> Result<Self, LoadError> {
        SideSet::load(files, FOLDER, SCHEMA).map(Self)
    }

    /// Whether the policies allow the errand. Any error refuses.
    pub fn allow(&self, roles: &[CallerRole], errand: Errand, circumstances: Circumstances) -> bool {
        let roles = roles.iter().filter_map(|role| side::word("Role", role.word()));
        let flag = |name: &str, value| (name.to_owned(), RestrictedExpression::new_bool(value));
        self.0.allows(Asked {
            principal: "Caller",
            attributes: HashMap::from([("roles".to_owned(), RestrictedExpression::new_set(roles))]),
            action: errand.name(),
            resource: "Service",
            context: HashMap::from([
                flag("about_self", circumstances.about_self),
                flag("own", circumstances.own),
                flag("addressed", circumstances.addressed),
                flag("nobody_known", circumstances.nobody_known),
            ]),
        })
    }
}
