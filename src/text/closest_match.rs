//! Suggestions for mistyped words.

/// Minimum Jaro-Winkler similarity, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.8;

/// Returns the candidate that is most similar to `typed`, or `None` if none is similar enough.
pub fn closest_match<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > MIN_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest_match;

    #[test]
    fn suggests_typos_only() {
        let words = ["login", "logout", "status", "token"];
        for (typed, expected) in
            [("logn", Some("login")), ("lgoout", Some("logout")), ("Staus", Some("status")), ("teapot", None)]
        {
            assert_eq!(closest_match(typed, words), expected, "{typed}");
        }
        assert_eq!(closest_match("acm", ["acme", "beta"]), Some("acme"));
        assert_eq!(closest_match("x", []), None);
    }
}
