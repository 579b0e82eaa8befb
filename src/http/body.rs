//! Reads a body strictly: JSON without duplicate keys, valid against its schema, then typed.

use std::{fmt, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{Bytes, Data},
};
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    Shared,
    problem::{Fault, Problem},
    schemas::{Schemas, repeated_ids},
};
use crate::app::Idempotency;

/// The bytes of a body, up to the largest that any address takes.
pub struct Body(pub Bytes);

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let within = request.app_data::<Data<Shared>>().map(|shared| shared.limits.body_within);
        Box::pin(async move {
            let bytes = tokio::time::timeout(within.unwrap_or_default(), bytes);
            bytes.await.map_err(|_| Problem::TooSlow)?.map(Self).map_err(|error| {
                match error.as_response_error().status_code() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
                    _ => Problem::invalid("", "could not be read"),
                }
            })
        })
    }
}

/// The message in a body, as its type.
pub fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    body: &Bytes,
    shared: &Shared,
    message: &str,
    limit: usize,
) -> Result<T, Problem> {
    typed(json(request, body, limit)?, &shared.schemas, message)
}

/// A body as JSON without duplicate keys.
pub fn json(request: &HttpRequest, body: &Bytes, limit: usize) -> Result<Value, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !essence.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::MediaType);
    }
    if body.len() > limit {
        return Err(Problem::TooLarge);
    }
    strict(body)
}

/// A value as its type, once its schema has nothing against it.
pub fn typed<T: DeserializeOwned>(value: Value, schemas: &Schemas, message: &str) -> Result<T, Problem> {
    let mut faults = schemas.faults(message, &value);
    if faults.is_empty() {
        faults.extend(beyond_schema(&value, message));
    }
    if !faults.is_empty() {
        return Err(Problem::Invalid(faults));
    }
    // What a schema lets through and a type does not, such as 3.0 for a whole number.
    serde_json::from_value(value).map_err(|_| Problem::invalid("", "has a value that is out of range"))
}

/// Faults a schema cannot express.
fn beyond_schema(value: &Value, message: &str) -> Vec<Fault> {
    let lists: &[&str] = match message {
        "register" => &["groups", "wards", "bodies", "people"],
        "registered-document" => &["parts"],
        "decision-request" => {
            let document = value.get("document").unwrap_or(&Value::Null);
            return repeated_ids(document, "parts")
                .into_iter()
                .map(|fault| Fault { pointer: format!("/document{}", fault.pointer), ..fault })
                .collect();
        }
        _ => &[],
    };
    lists.iter().flat_map(|list| repeated_ids(value, list)).collect()
}

/// The `Idempotency-Key`, bound to method, path and body.
pub fn idempotency(request: &HttpRequest, body: &Bytes) -> Result<Option<Idempotency>, Problem> {
    let mut sent = request.headers().get_all("Idempotency-Key");
    let Some(value) = sent.next() else { return Ok(None) };
    let graphic = |key: &&str| (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = value.to_str().ok().filter(graphic).filter(|_| sent.next().is_none());
    let key =
        key.ok_or_else(|| Problem::invalid("Idempotency-Key", "must be 1 to 200 visible ASCII characters, once"))?;
    let mut hasher = Sha256::new();
    for piece in [request.method().as_str().as_bytes(), request.path().as_bytes(), body] {
        hasher.update((piece.len() as u64).to_be_bytes());
        hasher.update(piece);
    }
    Ok(Some(Idempotency { key: key.to_owned(), body_hash: hasher.finalize().into() }))
}

/// Bytes as JSON in which no member stands twice.
pub fn strict(body: &[u8]) -> Result<Value, Problem> {
    let mut repeated = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let seed = Strict { at: String::new(), repeated: &mut repeated };
    let value = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    // The parser's own message may quote the body, so only the place is told.
    let value = value.map_err(|error| {
        Problem::invalid("", format!("is not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    if repeated.is_empty() {
        return Ok(value);
    }
    Err(Problem::Invalid(
        repeated.into_iter().map(|pointer| Fault { pointer, message: "stands twice".to_owned() }).collect(),
    ))
}

/// Builds a [`Value`] and notes the pointer of every member that stands twice.
struct Strict<'a> {
    at: String,
    repeated: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let at = format!("{}/{}", self.at, list.len());
            match items.next_element_seed(Strict { at, repeated: self.repeated })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let at = format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"));
            let value = members.next_value_seed(Strict { at: at.clone(), repeated: self.repeated })?;
            if object.insert(name, value).is_some() {
                self.repeated.push(at);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_named_by_its_pointer() {
        let Err(Problem::Invalid(faults)) = strict(br#"{"a": {"b/c": 1, "b/c": 2}, "a": 3}"#) else {
            panic!("accepted");
        };
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/b~1c", "/a"]);
    }

    #[test]
    fn what_is_not_json_is_refused_without_an_echo() {
        for body in [&b"{\"secret\": tru}"[..], b"", b"{} {}", &b"[".repeat(200)] {
            let Err(Problem::Invalid(faults)) = strict(body) else { panic!("accepted") };
            assert!(faults.iter().all(|fault| !fault.message.contains("secret")));
        }
    }
}
