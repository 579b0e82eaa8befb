//! Which files there are, which columns each has, and what a cell may hold.

use crate::{
    domain::words::{
        BodyKind, Employment, Governance, InterestHolder, InterestKind, InterestRelation, MembershipRole, PersonKind,
        Post,
    },
    import::List,
};

pub(super) struct Sheet {
    pub file: &'static str,
    pub owner: Owner,
    pub columns: &'static [Column],
}

impl Sheet {
    /// Its first line.
    pub fn header(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",")
    }
}

/// What a row is.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Authority,
    /// An object of a list.
    List(List),
    /// One of several things of an object of a list.
    Of(List, &'static str),
}

pub(super) struct Column {
    pub name: &'static str,
    /// Where in the object; empty: the id of what the row belongs to.
    pub path: &'static [&'static str],
    pub cell: Cell,
    pub needed: bool,
    /// What must be there.
    pub names: Option<List>,
}

#[derive(Clone, Copy)]
pub(super) enum Cell {
    Text,
    Id,
    /// With spaces between them.
    Ids,
    Flag,
    Day,
    Instant,
    Word(fn() -> Vec<&'static str>),
    Words(fn() -> Vec<&'static str>),
}

macro_rules! words {
    ($type:ty) => {
        || <$type>::ALL.iter().map(|word| word.word()).collect()
    };
}

const fn needed(name: &'static str, path: &'static [&'static str], cell: Cell) -> Column {
    Column { name, path, cell, needed: true, names: None }
}

const fn may(name: &'static str, path: &'static [&'static str], cell: Cell) -> Column {
    Column { name, path, cell, needed: false, names: None }
}

impl Column {
    const fn naming(self, list: List) -> Self {
        Self { names: Some(list), ..self }
    }
}

const ID: Column = needed("id", &[], Cell::Id);
const NAME: Column = needed("name", &["name"], Cell::Text);
const FROM: Column = may("from", &["from"], Cell::Day);
const TO: Column = may("to", &["to"], Cell::Day);
const PERSON: Column = needed("person", &[], Cell::Id).naming(List::People);

/// In the order they are read: what others belong to comes first.
pub(super) const SHEETS: &[Sheet] = &[
    Sheet {
        file: "authority.csv",
        owner: Owner::Authority,
        columns: &[
            needed("id", &["id"], Cell::Id),
            NAME,
            needed("governance", &["governance"], Cell::Word(words!(Governance))),
        ],
    },
    Sheet {
        file: "groups.csv",
        owner: Owner::List(List::Groups),
        columns: &[ID, NAME, may("administration", &["administration"], Cell::Flag)],
    },
    Sheet { file: "wards.csv", owner: Owner::List(List::Wards), columns: &[ID, NAME] },
    Sheet {
        file: "bodies.csv",
        owner: Owner::List(List::Bodies),
        columns: &[
            ID,
            NAME,
            needed("kind", &["kind"], Cell::Word(words!(BodyKind))),
            may("parent", &["parent"], Cell::Id).naming(List::Bodies),
            may("terms_of_reference", &["terms_of_reference"], Cell::Ids),
        ],
    },
    Sheet {
        file: "work_programme.csv",
        owner: Owner::Of(List::Bodies, "work_programme"),
        columns: &[
            needed("body", &[], Cell::Id).naming(List::Bodies),
            needed("id", &["id"], Cell::Id),
            needed("title", &["title"], Cell::Text),
            may("matters", &["matters"], Cell::Ids),
            FROM,
            TO,
        ],
    },
    Sheet {
        file: "people.csv",
        owner: Owner::List(List::People),
        columns: &[
            ID,
            NAME,
            needed("kind", &["kind"], Cell::Word(words!(PersonKind))),
            may("term_from", &["term", "from"], Cell::Day),
            may("term_to", &["term", "to"], Cell::Day),
            may("group", &["group"], Cell::Id).naming(List::Groups),
            may("group_leader", &["group_leader"], Cell::Flag),
            may("wards", &["wards"], Cell::Ids).naming(List::Wards),
            may("portfolios", &["portfolios"], Cell::Ids),
            may("employment", &["employment"], Cell::Word(words!(Employment))),
            may("posts", &["posts"], Cell::Words(words!(Post))),
            may("service", &["service"], Cell::Id),
            may("assists_group", &["assists", "group"], Cell::Id).naming(List::Groups),
            may("assists_person", &["assists", "person"], Cell::Id).naming(List::People),
            may("outside_appointments", &["outside_appointments"], Cell::Ids),
        ],
    },
    Sheet {
        file: "memberships.csv",
        owner: Owner::Of(List::People, "memberships"),
        columns: &[
            PERSON,
            needed("body", &["body"], Cell::Id).naming(List::Bodies),
            may("role", &["role"], Cell::Word(words!(MembershipRole))),
            may("voting", &["voting"], Cell::Flag),
            FROM,
            TO,
        ],
    },
    Sheet {
        file: "reviews.csv",
        owner: Owner::Of(List::People, "reviewing"),
        columns: &[
            PERSON,
            needed("decision", &["decision"], Cell::Id),
            may("recorded_by", &["recorded_by"], Cell::Id),
            may("recorded_at", &["recorded_at"], Cell::Instant),
        ],
    },
    Sheet {
        file: "interests.csv",
        owner: Owner::Of(List::People, "interests"),
        columns: &[
            PERSON,
            needed("id", &["id"], Cell::Id),
            needed("kind", &["kind"], Cell::Word(words!(InterestKind))),
            needed("holder", &["holder"], Cell::Word(words!(InterestHolder))),
            needed("matter", &["matter"], Cell::Id),
            needed("relation", &["relation"], Cell::Word(words!(InterestRelation))),
            may("registered", &["registered"], Cell::Flag),
            may("sensitive", &["sensitive"], Cell::Flag),
        ],
    },
    Sheet {
        file: "dispensations.csv",
        owner: Owner::Of(List::People, "dispensations"),
        columns: &[PERSON, needed("interest", &["interest"], Cell::Id), FROM, TO],
    },
];
