//! Every error a caller can see is one row here (RFC 9457 problem details).
//!
//! Texts name no person, title or justification. Whether a record may be admitted to exist is part of the decision:
//! what a caller may not see is `404` like what is not there.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde_json::{Value, json};

use crate::{
    app::{
        decide::DecideError,
        determine::DetermineError,
        erasure::EraseError,
        evidence::{CheckpointError, EvidenceError},
        facts::WriteError,
        history::{Gone, HistoryError},
        holds::HoldError,
        referrals::{AnswerError, CloseError},
        replay::ReplayError,
    },
    audit::Unmet,
    domain::{calendar::london_day, id::Id, words::ErasedUnder},
    pip::Unreadable,
};

/// A fault in a message: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON Pointer into the body, or the name of a parameter.
    pub pointer: String,
    pub message: String,
}

#[derive(Debug)]
pub enum Problem {
    Invalid(Vec<Fault>),
    NotAuthenticated,
    NotAllowed,
    /// The browser was sent here by another site.
    Elsewhere,
    NotEntitled,
    NotFound,
    /// Which methods there are.
    MethodNotAllowed(&'static [&'static str]),
    OtherFacts,
    KeyReused,
    AlreadyClosed,
    /// The entry does not hold what the answer would be made of: erased, or made under policies not kept.
    NotKept,
    /// The same, and it is on record when and why it went.
    Erased(Gone),
    AlreadyReleased,
    /// A hold covers what was to be erased.
    Held(Id),
    Precondition,
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The caller has used up its allowance; there is more of it after this.
    TooMany(Duration),
    MediaType,
    /// A decision made again from its own record came out otherwise. Says in which way.
    NotRepeatable(String),
    /// Policies that were to come in force do not load. Says why.
    PoliciesRefused(String),
    /// The answer cannot be recorded or the facts cannot be read: no outcome.
    Unavailable,
}

impl Problem {
    /// Status, slug, title.
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid", "The message is not valid"),
            Self::NotAuthenticated => (StatusCode::UNAUTHORIZED, "not-authenticated", "Credentials are needed"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "not-allowed", "This caller may not do this"),
            Self::Elsewhere => (
                StatusCode::FORBIDDEN,
                "elsewhere",
                "Another site asked this: nothing was recorded. Ask it at the desk",
            ),
            Self::NotEntitled => (StatusCode::FORBIDDEN, "not-entitled", "That person or body may not decide this"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing here"),
            Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not take that method")
            }
            Self::OtherFacts => {
                (StatusCode::CONFLICT, "registered-otherwise", "The document is registered with other facts")
            }
            Self::KeyReused => (StatusCode::CONFLICT, "key-reused", "The idempotency key was used with another body"),
            Self::AlreadyClosed => (StatusCode::CONFLICT, "already-closed", "The referral has been answered already"),
            Self::AlreadyReleased => (StatusCode::CONFLICT, "already-released", "The hold has been released already"),
            Self::Held(_) => (StatusCode::CONFLICT, "held", "A hold keeps this from being erased"),
            Self::NotKept | Self::Erased(_) => {
                (StatusCode::GONE, "not-kept", "What this would be told from is no longer kept")
            }
            Self::Precondition => (StatusCode::PRECONDITION_FAILED, "precondition", "The facts are at another version"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The body did not come in time"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body must be application/json"),
            Self::NotRepeatable(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "not-repeatable",
                "Made again from its own record, the decision comes out otherwise: the record or the service is at fault",
            ),
            Self::PoliciesRefused(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "policies-refused",
                "The policies are refused; those in force before stay in force",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Nothing could be decided or recorded: there is no answer, which means no access",
            ),
        }
    }

    /// One fault in a parameter or body.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { pointer: pointer.into(), message: message.into() }])
    }

    pub fn to_json(&self) -> Value {
        let (status, slug, title) = self.row();
        let kind = format!("/docs#{slug}");
        let mut told = json!({"type": kind, "title": title, "status": status.as_u16()});
        let fault = |fault: &Fault| json!({"pointer": fault.pointer, "message": fault.message});
        let (member, more) = match self {
            Self::Invalid(faults) => ("errors", faults.iter().map(fault).collect()),
            Self::Held(hold) => ("detail", json!(format!("Hold {hold} covers it."))),
            Self::Erased(gone) => ("detail", json!(in_words(gone))),
            Self::NotRepeatable(detail) | Self::PoliciesRefused(detail) => ("detail", json!(detail)),
            _ => return told,
        };
        if let Some(members) = told.as_object_mut() {
            members.insert(member.to_owned(), more);
        }
        told
    }
}

fn in_words(gone: &Gone) -> String {
    let ground = match gone.under {
        ErasedUnder::Schedule => "under the retention schedule",
        ErasedUnder::Request => "on request",
    };
    format!("It was erased on {} {ground}.", london_day(gone.at))
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().2)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.row().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::NotAuthenticated => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"pinkpaper\""));
            }
            Self::MethodNotAllowed(there) => {
                response.insert_header((header::ALLOW, there.join(", ")));
            }
            Self::TooMany(wait) => {
                // Whole seconds, and never sooner than there is something to be had.
                response.insert_header((header::RETRY_AFTER, (wait.as_secs() + 1).to_string()));
            }
            Self::Unavailable => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.content_type("application/problem+json").body(self.to_json().to_string())
    }
}

pub async fn not_found() -> Problem {
    Problem::NotFound
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

/// Logs what a caller is not told, once, with the whole chain of causes.
pub(super) fn unavailable(error: &dyn std::error::Error) -> Problem {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        chain = format!("{chain}: {inner}");
        cause = inner.source();
    }
    tracing::error!(error = chain, "no answer could be given");
    Problem::Unavailable
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        unavailable(&error)
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotAllowed => Self::NotAllowed,
            DecideError::NoDocument => Self::NotFound,
            DecideError::OtherFacts => Self::OtherFacts,
            DecideError::NoPart(_) => Self::invalid("/parts", "names a part the document does not have"),
            DecideError::KeyReused => Self::KeyReused,
            DecideError::Unsettled
            | DecideError::Busy
            | DecideError::Unreadable(_)
            | DecideError::Unrecorded(_)
            | DecideError::NoRules(_) => unavailable(&error),
        }
    }
}

impl From<DetermineError> for Problem {
    fn from(error: DetermineError) -> Self {
        match error {
            DetermineError::Unknown(faults) => Self::Invalid(
                faults.into_iter().map(|(at, message)| Fault { pointer: at.to_owned(), message }).collect(),
            ),
            DetermineError::NotEntitled => Self::NotEntitled,
            DetermineError::NotFound => Self::NotFound,
            DetermineError::KeyReused => Self::KeyReused,
            DetermineError::Busy
            | DetermineError::Unsettled
            | DetermineError::Unreadable(_)
            | DetermineError::Unrecorded(_)
            | DetermineError::NoRules(_)
            | DetermineError::Id(_) => unavailable(&error),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unmet(Unmet::NotFound | Unmet::NoRegister) => Self::NotFound,
            WriteError::Unmet(Unmet::Version) => Self::Precondition,
            WriteError::Unmet(Unmet::Closed) => Self::AlreadyClosed,
            WriteError::Unmet(Unmet::Moved) | WriteError::Busy | WriteError::Unrecorded(_) => unavailable(&error),
        }
    }
}

impl From<CloseError> for Problem {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Read(error) => error.into(),
            CloseError::Write(error) => error.into(),
            CloseError::KeyReused => Self::KeyReused,
            CloseError::NotAnAnswer(found) => {
                let fault =
                    |(pointer, message): (&str, &str)| Fault { pointer: pointer.into(), message: message.into() };
                Self::Invalid(found.into_iter().map(fault).collect())
            }
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Refused(error) | AnswerError::NotClosed(error) => error.into(),
            AnswerError::Undetermined(error) => error.into(),
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Scope(pointer, message) => Self::invalid(pointer, message),
            HoldError::Released => Self::AlreadyReleased,
            HoldError::KeyReused => Self::KeyReused,
            HoldError::Read(error) => error.into(),
            HoldError::Write(error) => error.into(),
        }
    }
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Unknown(pointer, message) => Self::invalid(pointer, message),
            EraseError::Held(hold) => Self::Held(hold),
            EraseError::KeyReused => Self::KeyReused,
            EraseError::Unsettled => unavailable(&error),
            EraseError::Read(error) => error.into(),
            EraseError::Write(error) => error.into(),
        }
    }
}

impl From<CheckpointError> for Problem {
    fn from(error: CheckpointError) -> Self {
        unavailable(&error)
    }
}

impl From<EvidenceError> for Problem {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::History(error) => error.into(),
            error => unavailable(&error),
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::NotAllowed => Self::NotAllowed,
            HistoryError::NotFound => Self::NotFound,
            HistoryError::NotKept => Self::NotKept,
            HistoryError::Erased(gone) => Self::Erased(gone),
            HistoryError::Unreadable(_) | HistoryError::Unrecorded(_) => unavailable(&error),
        }
    }
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        let policies = |message: &str| Self::invalid("/policy_bundle", message);
        match error {
            ReplayError::Read(error) => error.into(),
            ReplayError::NoBundle => policies("is not the hash of policies the log has met"),
            ReplayError::Unloadable => policies("names policies that this version cannot load"),
            ReplayError::NoProfile => {
                Self::invalid("/profile", "is not a profile of those policies; name one of theirs")
            }
            ReplayError::NotRepeatable(replayed) => Self::NotRepeatable(replayed.fault()),
        }
    }
}
