//! An export as a stranger hands it in: verified or not, and never more than it was signed for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pinkpaper::audit::verify::{Trust, verify};

fuzz_target!(|bytes: &[u8]| {
    // Nobody here has a key, so nothing that came this far may be said to be from whom the reader trusts.
    if let Ok(verified) = verify(bytes, &Trust::default(), |_| {}) {
        assert!(!verified.key_trusted && verified.from <= verified.to && verified.to <= verified.size);
    }
});
