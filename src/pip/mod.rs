//! The policy information point: the facts a decision rests on, and where they come from.
//!
//! [`FactSource`] is the port a store implements: the register as an in-memory [`Snapshot`], documents and
//! determinations by id. [`gather`] makes of them and a [`crate::domain::question::Request`] the
//! [`facts::Case`] that [`crate::pdp`] decides.
//!
//! It deliberately knows no rule: it measures (how many clear days, which interests cover a matter of the document,
//! is this person current) and leaves every threshold and every consequence to the policies. A fact it cannot
//! establish is left unknown.
//!
//! The invariant: everything a decision read carries one `facts_version`. The version is checked again inside the
//! append of the decision ([`crate::audit::AppendError::Stale`]), so a decision acknowledged after a write was
//! acknowledged has seen it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::domain::{
    determination::{DecidedBy, Determination, Entered},
    document::Document,
    hold::Scope,
    id::Id,
    register::{Body, Group, Person, Register, Ward},
    retention::Erased,
    words::{DocumentKind, HoldKind},
};

pub mod facts;
pub mod gather;
pub mod person;
mod recorded;

/// The register at one version, indexed for look-up and shared by all decisions until the next write.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts every write to register, documents and determinations.
    pub facts_version: u64,
    pub register: Arc<Indexed>,
    /// The hash of the policies in force with it; `None` until a service has first put some in force.
    pub policies: Option<String>,
}

/// A register with its ids looked up once.
#[derive(Debug)]
pub struct Indexed {
    /// `None` until a register has first been written: an empty register is ready, and names nobody.
    pub register: Option<Register>,
    people: HashMap<Id, usize>,
    bodies: HashMap<Id, usize>,
    groups: HashMap<Id, usize>,
}

impl Indexed {
    pub fn new(register: Option<Register>) -> Self {
        fn index<T>(items: &[T], id: impl Fn(&T) -> &Id) -> HashMap<Id, usize> {
            items.iter().enumerate().map(|(at, item)| (id(item).clone(), at)).collect()
        }
        let (people, bodies, groups) = register.as_ref().map_or_else(Default::default, |r| {
            (index(&r.people, |p| &p.id), index(&r.bodies, |b| &b.id), index(&r.groups, |g| &g.id))
        });
        Self { register, people, bodies, groups }
    }

    pub fn person(&self, id: &Id) -> Option<&Person> {
        self.people.get(id).and_then(|at| self.register.as_ref()?.people.get(*at))
    }

    pub fn body(&self, id: &Id) -> Option<&Body> {
        self.bodies.get(id).and_then(|at| self.register.as_ref()?.bodies.get(*at))
    }

    pub fn group(&self, id: &Id) -> Option<&Group> {
        self.groups.get(id).and_then(|at| self.register.as_ref()?.groups.get(*at))
    }
}

/// The store cannot be read. Whoever asked gets no outcome.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot be read")]
pub struct Unreadable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Which documents to list.
#[derive(Clone, Debug, Default)]
pub struct DocumentFilter {
    pub kind: Option<DocumentKind>,
    /// Serving business of this body.
    pub body: Option<Id>,
}

/// Which determinations to list.
#[derive(Clone, Debug, Default)]
pub struct DeterminationFilter {
    pub document: Option<Id>,
    pub person: Option<Id>,
    pub kind: Option<crate::domain::words::Determination>,
    /// Only those of this making.
    pub made_by: Option<Maker>,
}

/// Who made a determination: the caller who entered it, or the person who decided it.
#[derive(Clone, Debug)]
pub struct Maker {
    pub caller: String,
    pub person: Option<Id>,
}

impl Maker {
    pub fn made(&self, determination: &Determination) -> bool {
        let decided = match &determination.entered.decided_by {
            DecidedBy::Person { person, .. } => self.person.as_ref() == Some(person),
            DecidedBy::Body { .. } => false,
        };
        decided || determination.entered_by == self.caller
    }
}

/// One page of a list by key, in the order of ids.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The last id of the page before.
    pub after: Option<String>,
    pub limit: u32,
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass as `after` for the next page.
    pub next: Option<String>,
}

/// Where facts come from. Implemented by each store.
#[async_trait::async_trait]
pub trait FactSource: Send + Sync {
    /// The register in force as far as this process knows. Never waits. What rests on it must be appended with its
    /// version, which is checked then.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// The register in force whichever replica wrote it: every write acknowledged before this was asked is in it. For
    /// what is not checked when it is recorded.
    async fn current(&self) -> Result<Arc<Snapshot>, Unreadable>;

    async fn document(&self, id: &Id) -> Result<Option<Document>, Unreadable>;

    /// Every determination, withdrawn or not, that names this document or names none.
    async fn determinations_about(&self, document: &Id) -> Result<Vec<Determination>, Unreadable>;

    async fn determination(&self, id: &Id) -> Result<Option<Determination>, Unreadable>;

    async fn list_documents(&self, filter: &DocumentFilter, page: &PageRequest) -> Result<Page<Document>, Unreadable>;

    async fn list_determinations(
        &self,
        filter: &DeterminationFilter,
        page: &PageRequest,
    ) -> Result<Page<Determination>, Unreadable>;
}

/// A write to the facts. Each is atomic, counts one `facts_version`, and is logged in the same transaction.
#[derive(Clone, Debug)]
pub enum Change {
    ReplaceRegister(Box<Register>),
    /// What was brought from another system: the register as it is then, and documents beside it.
    Import {
        /// Which kind of system it came from.
        from: &'static str,
        register: Box<Register>,
        documents: Vec<Document>,
    },
    PutGroup(Group),
    PutWard(Ward),
    PutBody(Body),
    PutPerson(Box<Person>),
    DeleteGroup(Id),
    DeleteWard(Id),
    DeleteBody(Id),
    DeletePerson(Id),
    PutDocument(Box<Document>),
    DeleteDocument(Id),
    /// Under a fresh id.
    Determine {
        id: Id,
        entered: Box<Entered>,
        entered_by: String,
    },
    /// Kept, no longer in force.
    Withdraw(Id),
    /// Answered; changes no fact.
    CloseReferral {
        referral: Id,
        determination: Id,
    },
    /// A checkpoint of the log; changes no fact and makes no entry.
    KeepCheckpoint {
        epoch: u64,
        size: u64,
        note: String,
    },
    /// The log goes on in a new epoch, later than the one it is in, whose first entry records this; changes no fact.
    OpenEpoch {
        epoch: u64,
    },
    /// What the scope covers is not erased until the hold is released; changes no fact.
    PlaceHold {
        id: Id,
        kind: HoldKind,
        scope: Scope,
    },
    /// Kept, no longer in force; changes no fact.
    ReleaseHold(Id),
    /// Takes groups of entries, and what these are found by, out of the log; and with the record of a determination that
    /// is out of force the determination, which is then counted as a change of facts.
    Erase {
        /// The entry that records it.
        by: String,
        /// The count of what bears on erasure at which this was found to be free to go.
        as_of: u64,
        entries: Vec<Erased>,
        /// Whether the entries can still be found and told from what remains of them.
        findable: bool,
    },
    /// The policies of this hash are in force from now on, and their text is kept; changes no fact. What was decided
    /// under others and is not recorded yet is decided again.
    AdoptPolicies {
        hash: String,
        files: BTreeMap<String, String>,
    },
}
