//! `/v1/register`: who is who.

use std::str::FromStr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data, Path},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Shared, body,
    caller::Authenticated,
    no_content,
    page::{Query, told},
    problem::Problem,
};
use crate::{
    audit::Written,
    domain::{
        id::Id,
        register::{Body, Group, Person, Register, Ward},
    },
    pap::callers::Errand,
    pip::{Change, Page, PageRequest},
};

/// The four lists of the register.
#[derive(Clone, Copy)]
enum Collection {
    Groups,
    Wards,
    Bodies,
    People,
}

impl Collection {
    /// Whether it says something about people, such as their political group: each look at it is on record.
    fn is_personal(self) -> bool {
        matches!(self, Self::People)
    }
}

impl FromStr for Collection {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        Ok(match name {
            "groups" => Self::Groups,
            "wards" => Self::Wards,
            "bodies" => Self::Bodies,
            "people" => Self::People,
            _ => return Err(Problem::NotFound),
        })
    }
}

fn etag(version: u64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

fn told_write(written: &Written, body: impl Serialize) -> HttpResponse {
    let mut response = if written.created { HttpResponse::Created() } else { HttpResponse::Ok() };
    response.insert_header(etag(written.facts_version)).json(body)
}

pub async fn read(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::ReadRegister)?;
    let snapshot = shared.app.store.current().await?;
    let register = snapshot.register.register.as_ref().ok_or(Problem::NotFound)?;
    shared.app.log_read(caller, json!({"register": "whole"})).await?;
    Ok(HttpResponse::Ok().insert_header(etag(snapshot.facts_version)).json(register))
}

pub async fn replace(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::WriteRegister)?;
    let register: Register = body::read(&request, &bytes, &shared, "register", shared.limits.bulk)?;
    let version = if_match(&request)?;
    let change = Change::ReplaceRegister(Box::new(register.clone()));
    let written = shared.app.write(caller, change, version).await?;
    Ok(told_write(&written, register))
}

/// The version a write asks to apply to. A tag of another form matches no version.
fn if_match(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(sent) = request.headers().get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default()) else {
        return Ok(None);
    };
    if sent.trim() == "*" {
        return Ok(None);
    }
    let version = sent.trim().trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| Problem::Precondition)
}

pub async fn list(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    collection: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::ReadRegister)?;
    let collection: Collection = collection.parse()?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    query.finish()?;
    if collection.is_personal() {
        shared.app.log_read(caller, json!({"register": {"people": {"after": page.after}}})).await?;
    }
    let snapshot = shared.app.store.current().await?;
    let register = snapshot.register.register.as_ref();
    let mut items = register.map(|register| all(register, collection)).unwrap_or_default();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(HttpResponse::Ok().json(told(cut(items, &page), |(_, item)| item)))
}

fn all(register: &Register, collection: Collection) -> Vec<(String, Value)> {
    fn keyed<T: Serialize>(items: &[T], id: impl Fn(&T) -> &Id) -> Vec<(String, Value)> {
        items.iter().map(|item| (id(item).to_string(), json!(item))).collect()
    }
    match collection {
        Collection::Groups => keyed(&register.groups, |item| &item.id),
        Collection::Wards => keyed(&register.wards, |item| &item.id),
        Collection::Bodies => keyed(&register.bodies, |item| &item.id),
        Collection::People => keyed(&register.people, |item| &item.id),
    }
}

fn cut(items: Vec<(String, Value)>, page: &PageRequest) -> Page<(String, Value)> {
    let limit = page.limit as usize;
    let after = |key: &String| page.after.as_ref().is_none_or(|after| key > after);
    let mut items: Vec<_> = items.into_iter().filter(|(key, _)| after(key)).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
    Page { items, next }
}

pub async fn read_one(
    who: Authenticated,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::ReadRegister)?;
    let (collection, id) = path.into_inner();
    let collection: Collection = collection.parse()?;
    let snapshot = shared.app.store.current().await?;
    let register = snapshot.register.register.as_ref().ok_or(Problem::NotFound)?;
    let item = all(register, collection).into_iter().find(|(key, _)| *key == id).ok_or(Problem::NotFound)?;
    if collection.is_personal() {
        shared.app.log_read(caller, json!({"register": {"person": id}})).await?;
    }
    Ok(HttpResponse::Ok().insert_header(etag(snapshot.facts_version)).json(item.1))
}

pub async fn put_one(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    path: Path<(String, String)>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::WriteRegister)?;
    let (collection, id) = path.into_inner();
    let message = Message { request: &request, bytes: &bytes, shared: &shared, id: &id };
    let (change, told) = match collection.parse()? {
        Collection::Groups => message.read("group", |item: &Group| &item.id, Change::PutGroup)?,
        Collection::Wards => message.read("ward", |item: &Ward| &item.id, Change::PutWard)?,
        Collection::Bodies => message.read("body", |item: &Body| &item.id, Change::PutBody)?,
        Collection::People => {
            message.read("person", |item: &Person| &item.id, |item| Change::PutPerson(Box::new(item)))?
        }
    };
    let written = shared.app.write(caller, change, if_match(&request)?).await?;
    Ok(told_write(&written, told))
}

/// The body of a single-object write.
struct Message<'a> {
    request: &'a HttpRequest,
    bytes: &'a Bytes,
    shared: &'a Shared,
    id: &'a str,
}

impl Message<'_> {
    fn read<T: DeserializeOwned + Serialize>(
        &self,
        schema: &str,
        id: impl Fn(&T) -> &Id,
        change: impl Fn(T) -> Change,
    ) -> Result<(Change, Value), Problem> {
        let item: T = body::read(self.request, self.bytes, self.shared, schema, self.shared.limits.request)?;
        if id(&item).as_str() != self.id {
            return Err(Problem::invalid("/id", "must be the id in the address"));
        }
        let told = json!(item);
        Ok((change(item), told))
    }
}

pub async fn delete_one(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::WriteRegister)?;
    let (collection, id) = path.into_inner();
    let collection: Collection = collection.parse()?;
    let id = Id::try_from(id).map_err(|_| Problem::NotFound)?;
    let change = match collection {
        Collection::Groups => Change::DeleteGroup(id),
        Collection::Wards => Change::DeleteWard(id),
        Collection::Bodies => Change::DeleteBody(id),
        Collection::People => Change::DeletePerson(id),
    };
    shared.app.write(caller, change, if_match(&request)?).await?;
    Ok(no_content())
}
