//! A page of labelled paragraphs: what `token inspect` prints for people. Its 75 columns can be quoted
//! in a terminal of 80.

use crate::text::wrap::push_wrapped;

/// Columns of the page.
const WIDTH: usize = 75;

/// Columns of the label, with the space after it.
const LABEL: usize = 11;

/// How a label stands out on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// A plain label, bold.
    Plain,
    /// Green.
    Good,
    /// Yellow.
    Odd,
    /// Red.
    Bad,
}

impl Mood {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "\x1b[1m",
            Self::Good => "\x1b[1;32m",
            Self::Odd => "\x1b[1;33m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

/// Paragraphs under labels, as text with ANSI colours; anstream strips those that nobody wants.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A paragraph. An empty label continues the section above. The text must already be fit for a terminal.
    pub fn add(&mut self, mood: Mood, label: &str, text: &str) {
        let first = if label.is_empty() {
            " ".repeat(LABEL)
        } else {
            let gap = " ".repeat(LABEL.saturating_sub(label.len()).max(1));
            format!("{}{label}\x1b[0m{gap}", mood.code())
        };
        self.paragraph(&first, LABEL, text);
    }

    /// A paragraph of the section above, without a label.
    pub fn more(&mut self, text: &str) {
        self.add(Mood::Plain, "", text);
    }

    /// A paragraph that explains the line above, set in by two.
    pub fn detail(&mut self, text: &str) {
        self.paragraph(&" ".repeat(LABEL + 2), LABEL + 2, text);
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.0
    }

    fn paragraph(&mut self, first: &str, indent: usize, text: &str) {
        self.0.push_str(first);
        push_wrapped(&mut self.0, text, indent, WIDTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_wrap_below_their_own_beginning() {
        let mut page = Page::default();
        page.add(Mood::Good, "Now", &"word ".repeat(20).trim_end().replace("word", "words"));
        page.detail(&"x".repeat(90));
        let text = page.into_text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!(lines[0], format!("Now        {}", ["words"; 10].join(" ")));
        assert_eq!(lines[1], format!("           {}", ["words"; 10].join(" ")));
        assert_eq!(lines[2], format!("             {}", "x".repeat(90)), "a word too long is not torn");
    }
}
