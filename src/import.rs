//! What a council already has, brought into the register: modern.gov, Popolo, CSV, and this program's own JSON.
//!
//! A reader ([`moderngov`], [`popolo`], [`sheets`]) makes [`Found`] of a source: for each group, ward, body and person
//! the members the source *tells*, and where in the source it stands. [`merge`] lays that over the register in force,
//! member by member, and [`diff`] says what would change. Who writes it is [`crate::cli`], in one act.
//!
//! It deliberately invents nothing. What a source does not tell stays as the register has it, or unknown; what the
//! register needs and nobody told (the kind of a body) comes from a [`mapping`] that the council writes, else the thing
//! is left out and named. It removes nothing unless asked, and lists what the source no longer names.
//!
//! Worked example: modern.gov names committee 144, "Audit Committee", of the category "Governance and Decision Making
//! Committees". Nothing says which kind of body that is, so the first dry run says `body mg:committee:144 is left out`
//! and how to tell its kind. With `[bodies.144] kind = "committee"` it is added; the terms of reference that the council
//! writes later stay when the committee is imported again.
//!
//! The invariant: every fault of a source is told before anything is written, and then nothing is.
//!
//! Where next: [`merge`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::{Map, Value, json};

use crate::domain::register::Register;

pub mod diff;
pub mod mapping;
pub mod merge;
pub mod moderngov;
mod papers;
pub mod popolo;
pub mod service;
pub mod sheets;
pub mod values;

/// Members of an object of the register, as on the wire.
pub type Members = Map<String, Value>;

/// The lists of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    Groups,
    Wards,
    Bodies,
    People,
}

impl List {
    pub const ALL: [Self; 4] = [Self::Groups, Self::Wards, Self::Bodies, Self::People];

    /// Its name in the register.
    pub fn word(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Wards => "wards",
            Self::Bodies => "bodies",
            Self::People => "people",
        }
    }

    /// What one of its objects is called.
    pub fn one(self) -> &'static str {
        match self {
            Self::Groups => "group",
            Self::Wards => "ward",
            Self::Bodies => "body",
            Self::People => "person",
        }
    }
}

/// Something a source names.
#[derive(Clone, Debug, Default)]
pub struct Item {
    pub id: String,
    /// Where in the source.
    pub at: String,
    /// What the source tells of it; `null`: that there is none.
    pub told: Members,
    /// What holds only where the register does not know it yet.
    pub at_first: Members,
}

/// Something that must be there when all is merged.
#[derive(Clone, Debug)]
pub struct Reference {
    pub at: String,
    pub list: List,
    pub id: String,
}

/// How far the source's word on memberships goes.
#[derive(Clone, Debug, Default)]
pub enum Memberships {
    /// A list of memberships is the whole list.
    #[default]
    Whole,
    /// It is about these bodies only.
    In(BTreeSet<String>),
}

/// What a source tells.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub authority: Option<Value>,
    pub lists: BTreeMap<List, Vec<Item>>,
    /// An item is all there is to say of it: what it leaves out is none.
    pub whole: bool,
    pub memberships: Memberships,
    /// Which kinds of people the source would name; `None`: all. Others are not its to remove.
    pub kinds: Option<&'static [&'static str]>,
    /// The ids it would give, beside those that begin with `mg:`; `None`: any. Others are not its to remove.
    pub ids: Option<BTreeSet<String>>,
    pub documents: Vec<Item>,
    pub references: Vec<Reference>,
    /// What was seen and not taken, in plain words.
    pub notes: Vec<String>,
}

impl Found {
    /// A register written by this program.
    pub fn register(register: &Register) -> Self {
        let mut found = Self { authority: Some(json!(register.authority)), whole: true, ..Self::default() };
        let whole = json!(register);
        for list in List::ALL {
            for (at, value) in whole.get(list.word()).and_then(Value::as_array).into_iter().flatten().enumerate() {
                let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                let told = value.as_object().cloned().unwrap_or_default();
                let at = format!("/{}/{at}", list.word());
                found.lists.entry(list).or_default().push(Item { id, at, told, at_first: Members::new() });
            }
        }
        found
    }

    fn add(&mut self, list: List, item: Item) {
        self.lists.entry(list).or_default().push(item);
    }

    fn refer(&mut self, at: &str, list: List, id: &str) {
        self.references.push(Reference { at: at.to_owned(), list, id: id.to_owned() });
    }
}

/// Everything that is wrong with a source, up to a bound.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    told: Vec<String>,
    more: usize,
}

impl Faults {
    /// How many are told.
    const MOST: usize = 50;

    pub fn add(&mut self, at: impl fmt::Display, message: impl fmt::Display) {
        if self.told.len() < Self::MOST {
            self.told.push(format!("{at}: {message}"));
        } else {
            self.more += 1;
        }
    }

    /// One by itself.
    pub fn of(at: impl fmt::Display, message: impl fmt::Display) -> Self {
        let mut faults = Self::default();
        faults.add(at, message);
        faults
    }

    /// The value, if nothing was wrong with it.
    pub fn unless_any<T>(self, value: T) -> Result<T, Self> {
        if self.told.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the source is faulty, and nothing was changed")?;
        for fault in &self.told {
            write!(f, "\n  {fault}")?;
        }
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
