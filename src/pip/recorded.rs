//! What is recorded about a question: which determinations bind it, and which of them stand (contract §5).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::facts::Recorded;
use crate::{
    domain::{
        decision::Superseded,
        determination::{DecidedBy, Determination},
        document::{Document, Part},
        id::Id,
        question::Request,
        words::Determination as Kind,
    },
    pap::{
        deciders::{Case, Deciders, RestsOn},
        profile::Profile,
    },
};

/// What a determination must fit to bind this question.
pub(super) struct Scope<'a> {
    pub document: &'a Document,
    pub part: &'a Part,
    pub request: &'a Request,
    /// Ids of the asker's interests.
    pub interests: BTreeSet<&'a Id>,
    pub deciders: &'a Deciders,
    pub profile: &'a str,
    pub now: Timestamp,
}

impl Scope<'_> {
    /// Determinations in force that bind this part for a person; those about everyone bind every person.
    pub(super) fn matching<'d>(&self, all: &'d [Determination], person: Option<&str>) -> Vec<&'d Determination> {
        all.iter().filter(|determination| self.binds(determination, person)).collect()
    }

    fn binds(&self, determination: &Determination, person: Option<&str>) -> bool {
        let entered = &determination.entered;
        let recipient = self.request.recipient.as_ref().and_then(|party| party.id.as_ref());
        determination.in_force(self.now)
            && entered.person.as_ref().is_none_or(|id| Some(id.as_str()) == person)
            && entered.document.as_ref().is_none_or(|id| *id == self.document.id)
            && entered.parts.as_ref().is_none_or(|parts| parts.contains(&self.part.id))
            && entered.action.is_none_or(|action| action == self.request.action)
            && entered.recipient.as_ref().is_none_or(|id| Some(id) == recipient)
            && entered.interest.as_ref().is_none_or(|id| self.interests.contains(id))
            && entered.document_version.as_ref().is_none_or(|version| Some(version) == self.document.version.as_ref())
            && !self.has_lapsed(determination)
            && !self.favours_its_maker(determination)
    }

    /// Whether it would open to the asker what the asker decided and may not decide in a case of their own. One that names
    /// nobody shows only here whose case it is; what it closes, it closes to them as well. Whoever is handed a paper in
    /// their post (TH52-10.17) has not asked for it.
    fn favours_its_maker(&self, determination: &Determination) -> bool {
        let entered = &determination.entered;
        let DecidedBy::Person { person: maker, post } = &entered.decided_by else { return false };
        let case =
            Case { kind: entered.kind, profile: self.profile, own: self.request.principal.person() == Some(maker) };
        case.own && entered.answer != entered.kind.closing_answer() && !self.deciders.post_may(*post, case)
    }

    /// Whether what the determination rests on has changed since it was made.
    fn has_lapsed(&self, determination: &Determination) -> bool {
        let decided_at = determination.entered.decided_at;
        let since = |at: Option<Timestamp>| at.is_some_and(|at| decided_at < at && at <= self.now);
        let facts = &self.part.facts;
        self.deciders.rests_on(determination.entered.kind).iter().any(|on| match on {
            RestsOn::Classification => since(facts.classification.known().and_then(|class| class.determined_at)),
            RestsOn::Meeting => facts
                .business
                .known()
                .into_iter()
                .flatten()
                .any(|business| since(business.made_at.known().or(business.concluded_at.known()).copied())),
        })
    }
}

/// Which answer stands for each kind (contract §5, precedence): a later determination by a post further along the
/// route supersedes; between equals the closing one wins.
pub(super) fn settle(found: &[&Determination], profile: &Profile) -> Recorded {
    let mut by_question: BTreeMap<Kind, Vec<&Determination>> = BTreeMap::new();
    for determination in found {
        by_question.entry(determination.entered.kind.question()).or_default().push(determination);
    }
    let mut recorded = Recorded::default();
    for (question, mut candidates) in by_question {
        candidates.sort_by_key(|d| d.entered.decided_at);
        let standing = standing(&candidates, profile);
        if contested(&candidates, profile) {
            recorded.contested.insert(question);
        }
        for one in &standing {
            record(one, profile, &mut recorded);
        }
        if let Some(first) = standing.first() {
            recorded.superseded.extend(
                candidates.iter().filter(|c| standing.iter().all(|s| s.id != c.id)).map(|c| Superseded {
                    standing: first.id.clone(),
                    set_aside: c.id.clone(),
                    question,
                }),
            );
        }
    }
    recorded
}

/// Of the determinations of one question, in order of time, those that stand: one for each kind that still speaks.
fn standing<'d>(candidates: &[&'d Determination], profile: &Profile) -> Vec<&'d Determination> {
    let mut standing: Vec<&Determination> = Vec::new();
    for later in candidates {
        let loses = standing.iter().any(|earlier| !prevails(later, earlier, profile));
        if loses {
            continue;
        }
        standing.retain(|earlier| !replaces(later, earlier, profile));
        standing.push(later);
    }
    standing
}

/// Whether two different posts of the highest standing among them, each in its last word, answer differently.
fn contested(candidates: &[&Determination], profile: &Profile) -> bool {
    let highest = candidates.iter().map(|one| rank(one, profile)).max();
    let mut last: BTreeMap<String, bool> = BTreeMap::new();
    for one in candidates.iter().filter(|one| Some(rank(one, profile)) == highest) {
        let by = match &one.entered.decided_by {
            DecidedBy::Person { post, .. } => post.word().to_owned(),
            DecidedBy::Body { body } => body.to_string(),
        };
        last.insert(by, closes(one));
    }
    last.values().any(|closing| *closing) && last.values().any(|closing| !*closing)
}

/// Whether the later may stand beside or in place of the earlier.
fn prevails(later: &Determination, earlier: &Determination, profile: &Profile) -> bool {
    let (later_rank, earlier_rank) = (rank(later, profile), rank(earlier, profile));
    later_rank > earlier_rank || (later_rank == earlier_rank && (closes(later) || !closes(earlier)))
}

/// Whether the later sets the earlier aside.
fn replaces(later: &Determination, earlier: &Determination, profile: &Profile) -> bool {
    let same_kind = later.entered.kind == earlier.entered.kind;
    rank(later, profile) > rank(earlier, profile) || same_kind || closes(later) != closes(earlier)
}

fn closes(determination: &Determination) -> bool {
    determination.entered.answer == determination.entered.kind.closing_answer()
}

fn rank(determination: &Determination, profile: &Profile) -> usize {
    match &determination.entered.decided_by {
        DecidedBy::Person { post, .. } => profile.rank(*post),
        // The body the matter belongs to decides last of all (S-100A-4, WAT-R5-a).
        DecidedBy::Body { .. } => usize::MAX,
    }
}

fn record(determination: &Determination, profile: &Profile, recorded: &mut Recorded) {
    let entered = &determination.entered;
    if entered.answer { &mut recorded.yes } else { &mut recorded.no }.insert(entered.kind);
    let last_word = match &entered.decided_by {
        DecidedBy::Person { post, .. } => profile.is_final(*post),
        DecidedBy::Body { .. } => true,
    };
    if last_word {
        recorded.final_.insert(entered.kind);
    }
    if let Some(conditions) = entered.conditions.as_ref().filter(|text| entered.answer && !text.trim().is_empty()) {
        recorded.conditions.insert(entered.kind, conditions.clone());
    }
    if entered.kind == Kind::DamageLevel && entered.answer {
        recorded.damage_level = entered.level;
    }
}
