//! Changes to the facts, as rows.
//!
//! A change is made ready where it was asked for, so that inside the transaction there is nothing left but SQL.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::QueryBuilder;

use super::{
    dialect::{Connection, Db},
    erasure,
    fault::Refused,
    holds, tree,
};
use crate::{
    audit::Unmet,
    domain::{
        determination::Determination,
        document::{Document, Facts},
        hold::Scope,
        id::Id,
        register::Register,
        retention::Erased,
        words::HoldKind,
    },
    pip::Change,
};

/// Rows of one INSERT: an engine takes 32,766 values in a statement or more, and no table has more than eight columns.
pub(super) const ROWS: usize = 2048;

/// A change, ready to apply.
pub(super) enum Prepared {
    ReplaceRegister { authority: String, objects: Vec<Object> },
    PutObject(Object),
    DeleteObject(Collection, Id),
    PutDocument(Paper),
    Import { authority: String, objects: Vec<Object>, papers: Vec<Paper> },
    DeleteDocument(Id),
    Determine { id: Id, document: Option<Id>, person: Option<Id>, kind: &'static str, body: String },
    Withdraw { id: Id, at: Timestamp },
    CloseReferral { referral: Id, determination: Id, at: Timestamp },
    AdoptPolicies { hash: String, files: String },
    KeepCheckpoint { epoch: u64, size: u64, note: String },
    OpenEpoch(u64),
    PlaceHold { id: Id, kind: HoldKind, scope: Scope },
    ReleaseHold { id: Id, at: Timestamp },
    Erase { by: String, at: Timestamp, as_of: u64, entries: Vec<Erased>, findable: bool },
}

/// A list of the register, by its name on the wire.
pub(super) type Collection = &'static str;

/// A group, ward, body or person.
pub(super) struct Object {
    collection: Collection,
    id: Id,
    body: String,
}

/// A document.
pub(super) struct Paper {
    id: Id,
    kind: Option<&'static str>,
    bodies: BTreeSet<Id>,
    body: String,
}

impl Prepared {
    /// Whether the register in force is another one afterwards.
    pub fn is_of_register(&self) -> bool {
        matches!(self, Self::ReplaceRegister { .. } | Self::Import { .. } | Self::PutObject(_) | Self::DeleteObject(..))
    }

    /// Whether the facts are at another version afterwards, `applied` being what applying it answered.
    pub fn is_of_facts(&self, applied: bool) -> bool {
        match self {
            Self::CloseReferral { .. } | Self::AdoptPolicies { .. } => false,
            Self::KeepCheckpoint { .. } | Self::OpenEpoch(_) => false,
            Self::PlaceHold { .. } | Self::ReleaseHold { .. } => false,
            Self::Erase { .. } => applied,
            _ => true,
        }
    }

    pub fn new(change: Change, at: Timestamp) -> Result<Self, serde_json::Error> {
        Ok(match change {
            Change::ReplaceRegister(register) => {
                let (authority, objects) = rows_of(&register)?;
                Self::ReplaceRegister { authority, objects }
            }
            Change::Import { register, documents, .. } => {
                let (authority, objects) = rows_of(&register)?;
                Self::Import { authority, objects, papers: documents.iter().map(paper).collect::<Result<_, _>>()? }
            }
            Change::PutGroup(group) => Self::PutObject(object("groups", &group.id, &group)?),
            Change::PutWard(ward) => Self::PutObject(object("wards", &ward.id, &ward)?),
            Change::PutBody(body) => Self::PutObject(object("bodies", &body.id, &body)?),
            Change::PutPerson(person) => Self::PutObject(object("people", &person.id, &person)?),
            Change::DeleteGroup(id) => Self::DeleteObject("groups", id),
            Change::DeleteWard(id) => Self::DeleteObject("wards", id),
            Change::DeleteBody(id) => Self::DeleteObject("bodies", id),
            Change::DeletePerson(id) => Self::DeleteObject("people", id),
            Change::PutDocument(document) => Self::PutDocument(paper(&document)?),
            Change::DeleteDocument(id) => Self::DeleteDocument(id),
            Change::Determine { id, entered, entered_by } => {
                let kept = Determination { id, entered: *entered, entered_by, recorded_at: at, withdrawn_at: None };
                let body = serde_json::to_string(&kept)?;
                let (document, person) = (kept.entered.document, kept.entered.person);
                Self::Determine { id: kept.id, document, person, kind: kept.entered.kind.word(), body }
            }
            Change::Withdraw(id) => Self::Withdraw { id, at },
            Change::KeepCheckpoint { epoch, size, note } => Self::KeepCheckpoint { epoch, size, note },
            Change::OpenEpoch { epoch } => Self::OpenEpoch(epoch),
            Change::PlaceHold { id, kind, scope } => Self::PlaceHold { id, kind, scope },
            Change::ReleaseHold(id) => Self::ReleaseHold { id, at },
            Change::Erase { by, as_of, entries, findable } => Self::Erase { by, at, as_of, entries, findable },
            Change::CloseReferral { referral, determination } => Self::CloseReferral { referral, determination, at },
            Change::AdoptPolicies { hash, files } => {
                Self::AdoptPolicies { hash, files: serde_json::to_string(&files)? }
            }
        })
    }

    /// Applies the change; answers whether it made something that was not there or, of an erasure, whether it took a fact.
    pub async fn apply(&self, connection: &mut Connection) -> Result<bool, Refused> {
        match self {
            Self::ReplaceRegister { authority, objects } => replace_register(connection, authority, objects).await,
            Self::PutObject(object) => put_object(connection, object).await,
            Self::DeleteObject(collection, id) => {
                let delete = sqlx::query("DELETE FROM register_object WHERE collection = $1 AND id = $2");
                changed_one(delete.bind(*collection).bind(id.as_str()).execute(connection).await?.rows_affected())
            }
            Self::PutDocument(paper) => put_document(connection, paper).await,
            Self::Import { authority, objects, papers } => {
                let created = replace_register(connection, authority, objects).await?;
                put_documents(connection, papers).await?;
                Ok(created)
            }
            Self::DeleteDocument(id) => {
                let delete = sqlx::query("DELETE FROM document WHERE id = $1");
                changed_one(delete.bind(id.as_str()).execute(connection).await?.rows_affected())
            }
            Self::Determine { id, document, person, kind, body } => {
                sqlx::query("INSERT INTO determination (id, document, person, kind, body) VALUES ($1, $2, $3, $4, $5)")
                    .bind(id.as_str())
                    .bind(document.as_ref().map(Id::as_str))
                    .bind(person.as_ref().map(Id::as_str))
                    .bind(*kind)
                    .bind(body)
                    .execute(connection)
                    .await?;
                Ok(true)
            }
            Self::Withdraw { id, at } => {
                // What is withdrawn cannot be withdrawn again: the first time stands.
                let update = "UPDATE determination SET withdrawn_at = $1 WHERE id = $2 AND withdrawn_at IS NULL";
                let update = sqlx::query(update).bind(at.to_string()).bind(id.as_str());
                changed_one(update.execute(connection).await?.rows_affected())
            }
            Self::KeepCheckpoint { epoch, size, note } => tree::keep_checkpoint(connection, *epoch, *size, note).await,
            // The head is the batch's to write.
            Self::OpenEpoch(_) => Ok(true),
            Self::PlaceHold { id, kind, scope } => holds::place_hold(connection, id, *kind, scope).await,
            Self::ReleaseHold { id, at } => holds::release_hold(connection, id, *at).await,
            Self::Erase { by, at, as_of, entries, findable } => {
                erasure::erase(connection, by, *at, *as_of, entries, *findable).await
            }
            Self::CloseReferral { referral, determination, at } => {
                let there = "SELECT EXISTS (SELECT 1 FROM referral WHERE id = $1)";
                if !exists(connection, there, &[referral.as_str()]).await? {
                    return Err(Refused::Unmet(Unmet::NotFound));
                }
                let update = "UPDATE referral SET closed_at = $1, closed_by = $2 WHERE id = $3 AND closed_at IS NULL";
                let update = sqlx::query(update).bind(at.to_string()).bind(determination.as_str());
                let closed = update.bind(referral.as_str()).execute(&mut *connection).await?.rows_affected();
                if closed == 0 {
                    return Err(Refused::Unmet(Unmet::Closed));
                }
                erasure::count_event(connection).await?;
                Ok(false)
            }
            // That they are in force is the head's to say.
            Self::AdoptPolicies { hash, files } => {
                let insert = "INSERT INTO policy_bundle (hash, files) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
                Ok(sqlx::query(insert).bind(hash).bind(files).execute(connection).await?.rows_affected() == 1)
            }
        }
    }
}

fn object(collection: Collection, id: &Id, value: &impl Serialize) -> Result<Object, serde_json::Error> {
    Ok(Object { collection, id: id.clone(), body: serde_json::to_string(value)? })
}

fn rows_of(register: &Register) -> Result<(String, Vec<Object>), serde_json::Error> {
    let groups = register.groups.iter().map(|group| object("groups", &group.id, group));
    let wards = register.wards.iter().map(|ward| object("wards", &ward.id, ward));
    let bodies = register.bodies.iter().map(|body| object("bodies", &body.id, body));
    let people = register.people.iter().map(|person| object("people", &person.id, person));
    let objects = groups.chain(wards).chain(bodies).chain(people).collect::<Result<_, _>>()?;
    Ok((serde_json::to_string(&register.authority)?, objects))
}

fn paper(document: &Document) -> Result<Paper, serde_json::Error> {
    Ok(Paper {
        id: document.id.clone(),
        kind: document.facts.kind.known().map(|kind| kind.word()),
        bodies: bodies_served(document),
        body: serde_json::to_string(document)?,
    })
}

fn bodies_served(document: &Document) -> BTreeSet<Id> {
    let parts = document.parts.iter().map(|part| &part.facts);
    let served = |facts: &Facts| facts.business.known().into_iter().flatten().filter_map(|b| b.body.clone()).collect();
    std::iter::once(&document.facts).chain(parts).flat_map(|facts| -> Vec<Id> { served(facts) }).collect()
}

async fn replace_register(connection: &mut Connection, authority: &str, objects: &[Object]) -> Result<bool, Refused> {
    let created = !exists(connection, "SELECT EXISTS (SELECT 1 FROM register_authority)", &[]).await?;
    sqlx::query(
        "INSERT INTO register_authority (id, body) VALUES (1, $1)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    )
    .bind(authority)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM register_object").execute(&mut *connection).await?;
    for (chunk, objects) in objects.chunks(ROWS).enumerate() {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO register_object (collection, id, position, body) ");
        insert.push_values((chunk * ROWS..).zip(objects), |mut row, (position, object)| {
            row.push_bind(object.collection).push_bind(object.id.as_str());
            row.push_bind(position.cast_signed() as i64).push_bind(&*object.body);
        });
        insert.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(created)
}

/// Keeps the place in its list of an object that was there; a new one comes last.
async fn put_object(connection: &mut Connection, object: &Object) -> Result<bool, Refused> {
    if !exists(connection, "SELECT EXISTS (SELECT 1 FROM register_authority)", &[]).await? {
        return Err(Refused::Unmet(Unmet::NoRegister));
    }
    let there = "SELECT EXISTS (SELECT 1 FROM register_object WHERE collection = $1 AND id = $2)";
    let created = !exists(connection, there, &[object.collection, object.id.as_str()]).await?;
    sqlx::query(
        "INSERT INTO register_object (collection, id, position, body)
         VALUES ($1, $2, (SELECT coalesce(max(position), -1) + 1 FROM register_object), $3)
         ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
    )
    .bind(object.collection)
    .bind(object.id.as_str())
    .bind(&object.body)
    .execute(connection)
    .await?;
    Ok(created)
}

async fn put_document(connection: &mut Connection, paper: &Paper) -> Result<bool, Refused> {
    let there = "SELECT EXISTS (SELECT 1 FROM document WHERE id = $1)";
    let created = !exists(connection, there, &[paper.id.as_str()]).await?;
    put_documents(connection, std::slice::from_ref(paper)).await?;
    Ok(created)
}

/// In few statements, however many they are: everyone else who writes waits.
async fn put_documents(connection: &mut Connection, papers: &[Paper]) -> Result<(), Refused> {
    for papers in papers.chunks(ROWS) {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO document (id, kind, body) ");
        insert.push_values(papers, |mut row, paper| {
            row.push_bind(paper.id.as_str()).push_bind(paper.kind).push_bind(&*paper.body);
        });
        insert.push(" ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, body = excluded.body");
        insert.build().persistent(false).execute(&mut *connection).await?;
        let mut delete = QueryBuilder::<Db>::new("DELETE FROM document_business WHERE document IN (");
        let mut ids = delete.separated(", ");
        for paper in papers {
            ids.push_bind(paper.id.as_str());
        }
        delete.push(")").build().persistent(false).execute(&mut *connection).await?;
    }
    let served: Vec<(&str, &str)> =
        papers.iter().flat_map(|paper| paper.bodies.iter().map(|body| (paper.id.as_str(), body.as_str()))).collect();
    for served in served.chunks(ROWS) {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO document_business (document, body) ");
        insert.push_values(served, |mut row, (document, body)| {
            row.push_bind(*document).push_bind(*body);
        });
        insert.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn exists(connection: &mut Connection, sql: &'static str, named: &[&str]) -> Result<bool, sqlx::Error> {
    let query = named.iter().fold(sqlx::query_scalar(sql), |query, name| query.bind((*name).to_owned()));
    query.fetch_one(connection).await
}

fn changed_one(rows: u64) -> Result<bool, Refused> {
    if rows == 0 { Err(Refused::Unmet(Unmet::NotFound)) } else { Ok(false) }
}
