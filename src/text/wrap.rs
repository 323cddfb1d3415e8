//! Word wrapping.

/// Appends `text` to `out`, wrapped at spaces so that no line is longer than `width` columns, and a newline. `out` ends
/// at column `indent`, which every further line is indented to. A word that is too long is not broken.
pub fn push_wrapped(out: &mut String, text: &str, indent: usize, width: usize) {
    let mut column = indent;
    for (index, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if index > 0 && column + 1 + len > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += len;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::push_wrapped;

    #[test]
    fn wraps_at_the_width_and_indents() {
        let mut out = "label ".to_owned();
        push_wrapped(&mut out, "one two three", 6, 13);
        assert_eq!(out, "label one two\n      three\n");
    }

    #[test]
    fn never_breaks_a_word() {
        let mut out = String::new();
        push_wrapped(&mut out, "a toolongword b", 0, 5);
        assert_eq!(out, "a\ntoolongword\nb\n");
    }
}
