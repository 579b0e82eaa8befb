//! What has been determined, read by those who may. Each reading is logged before it is answered.
//!
//! A determination tells of somebody's need, interest or refusal, and why. Whoever entered it or decided it reads it back;
//! who else does is policy (`policies/callers`).

use serde_json::json;

use super::{App, Caller, history::HistoryError};
use crate::{
    domain::{determination::Determination, id::Id},
    pap::callers::{Circumstances, Errand},
    pip::{DeterminationFilter, Maker, Page, PageRequest},
};

impl App {
    /// One determination. What the caller may not see is not there.
    pub async fn read_determination(&self, caller: &Caller, id: &Id) -> Result<Determination, HistoryError> {
        let kept = self.store.determination(id).await?;
        let visible = kept.filter(|kept| self.shows(caller, kept)).ok_or(HistoryError::NotFound)?;
        self.log_read(caller, json!({"determination": id})).await?;
        Ok(visible)
    }

    /// Determinations in the order of their entry: for a caller who may not see all, those of its own making.
    pub async fn list_determinations(
        &self,
        caller: &Caller,
        mut filter: DeterminationFilter,
        page: PageRequest,
    ) -> Result<Page<Determination>, HistoryError> {
        if !self.reads_determinations(caller, false) {
            if !self.reads_determinations(caller, true) {
                return Err(HistoryError::NotAllowed);
            }
            filter.made_by = Some(maker(caller));
        }
        let what = json!({"determinations": {
            "document": filter.document, "person": filter.person, "kind": filter.kind,
            "own": filter.made_by.is_some(),
        }});
        self.log_read(caller, what).await?;
        Ok(self.store.list_determinations(&filter, &page).await?)
    }

    /// What the caller may see of all that was determined about a document, withdrawn ones too.
    pub async fn determined_before(&self, caller: &Caller, document: &Id) -> Result<Vec<Determination>, HistoryError> {
        let mut about = self.store.determinations_about(document).await?;
        about.retain(|one| one.entered.document.is_some() && self.shows(caller, one));
        if !about.is_empty() {
            self.log_read(caller, json!({"determinations": {"document": document}})).await?;
        }
        Ok(about)
    }

    pub(super) fn shows(&self, caller: &Caller, determination: &Determination) -> bool {
        self.reads_determinations(caller, maker(caller).made(determination))
    }

    fn reads_determinations(&self, caller: &Caller, own: bool) -> bool {
        self.allows(caller, Errand::ReadDeterminations, Circumstances { own, ..Circumstances::default() })
    }
}

fn maker(caller: &Caller) -> Maker {
    Maker { caller: caller.name.clone(), person: caller.person.clone() }
}
