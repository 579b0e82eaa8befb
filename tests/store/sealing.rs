//! A law of sealing: whatever is erased of an entry, the rest opens and the leaf stays.

use pinkpaper::audit::{
    NewEntry,
    entry::{Altered, seal, unseal},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::entry;

const NAMES: [&str; 6] = ["answer", "caller", "case", "facts", "note", "request"];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(|text| json!(text)),
        (".{0,8}", any::<bool>()).prop_map(|(name, flag)| json!({name: flag, "list": [flag, null, "Cllr B. One"]})),
    ]
}

proptest! {
    #[test]
    fn whatever_groups_are_erased_the_rest_opens(
        values in prop::collection::vec((value(), any::<bool>()), 0..=NAMES.len()),
    ) {
        let payload: Vec<(&str, Value)> = NAMES.into_iter().zip(values.iter().map(|(value, _)| value.clone())).collect();
        let sealed = seal(&NewEntry { payload: payload.clone(), ..entry("e-1") }).expect("sealed");
        let mut keep = values.iter().map(|(_, keep)| *keep);
        let kept: Vec<_> = sealed.groups.iter().filter(|_| keep.next() == Some(true)).cloned().collect();
        let (leaf, opened) = unseal(&sealed.leaf, &sealed.leaf_hash, &kept).expect("unaltered");
        prop_assert_eq!(leaf.commitments.len(), payload.len());
        let mut keep = values.iter().map(|(_, keep)| *keep);
        let expected: Vec<(String, Value)> = payload
            .into_iter()
            .filter(|_| keep.next() == Some(true))
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        prop_assert_eq!(opened, expected);
        // What was erased does not come back under the salt of another.
        if let Some(mut forged) = kept.first().cloned() {
            forged.salt[0] ^= 1;
            let name = forged.name.clone();
            prop_assert_eq!(unseal(&sealed.leaf, &sealed.leaf_hash, &[forged]).map(|_| ()), Err(Altered::Payload(name)));
        }
    }
}
