//! The places in a policy's texts that a case fills: `{body}`, `{part}`, `{document}`, and posts by their local titles.

use super::profile::Profile;

/// The text with each name between braces replaced.
pub fn filled(text: &str, fill: impl Fn(&str) -> String) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        told.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        told.push_str(&fill(name));
        rest = after;
    }
    told.push_str(rest);
    told
}

/// The text as it reads of no case in particular, with a profile's titles where there is one.
pub fn in_general(text: &str, profile: Option<&Profile>) -> String {
    filled(text, |name| match name {
        "body" => "the body concerned".to_owned(),
        "part" | "document" => "the paper".to_owned(),
        post => profile.and_then(|of| of.title_of(post)).map_or_else(|| post.replace('_', " "), str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_case_would_fill_reads_of_any() {
        let text = "The {monitoring_officer} decides on {part}, taken by {body}.";
        let read = "The monitoring officer decides on the paper, taken by the body concerned.";
        assert_eq!(in_general(text, None), read);
        assert_eq!(in_general("no {place", None), "no place");
    }
}
