//! The word that was probably meant, for errors that name the next step.

/// Below this the likeness (Jaro-Winkler, 0 to 1) is chance.
const ALIKE: f64 = 0.8;

/// The candidate most like the word that was typed, where one is like it at all.
pub fn closest_match<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest_match;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let words = ["login", "logout", "status", "token"];
        for (typed, meant) in
            [("logn", Some("login")), ("lgoout", Some("logout")), ("Staus", Some("status")), ("teapot", None)]
        {
            assert_eq!(closest_match(typed, words), meant, "{typed}");
        }
        assert_eq!(closest_match("acm", ["acme", "beta"]), Some("acme"));
        assert_eq!(closest_match("x", []), None);
    }
}
