//! A report of labeled paragraphs: the text output of `token inspect`.

use anstyle::{AnsiColor, Style};

use crate::text::wrap::push_wrapped;

/// The width of the labels with the space after them, in columns.
const LABEL_WIDTH: usize = 11;

/// How a paragraph's label is styled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Neutral,
    Success,
    Warning,
    Error,
}

impl Outcome {
    fn style(self) -> Style {
        let bold = Style::new().bold();
        match self {
            Self::Neutral => bold,
            Self::Success => bold.fg_color(Some(AnsiColor::Green.into())),
            Self::Warning => bold.fg_color(Some(AnsiColor::Yellow.into())),
            Self::Error => bold.fg_color(Some(AnsiColor::Red.into())),
        }
    }
}

/// Paragraphs with labels, as text with ANSI styles. The texts must already be sanitized.
#[derive(Debug)]
pub struct Report {
    pub text: String,
    width: usize,
}

impl Report {
    /// An empty report, this many columns wide.
    pub fn new(width: usize) -> Self {
        Self { text: String::new(), width }
    }

    /// Adds a paragraph. An empty label continues the section above.
    pub fn add(&mut self, outcome: Outcome, label: &str, text: &str) {
        let style = if label.is_empty() { Style::new() } else { outcome.style() };
        let padding = LABEL_WIDTH.saturating_sub(label.len());
        self.text += &format!("{style}{label}{style:#}{:padding$}", "");
        push_wrapped(&mut self.text, text, LABEL_WIDTH, self.width);
    }

    /// Adds a section of several lines; nothing without lines.
    pub fn section(&mut self, label: &str, lines: &[String]) {
        for (index, line) in lines.iter().enumerate() {
            self.add(Outcome::Neutral, if index == 0 { label } else { "" }, line);
        }
    }

    /// Adds a paragraph that explains the line above, indented by two more columns.
    pub fn detail(&mut self, text: &str) {
        let indent = LABEL_WIDTH + 2;
        self.text += &" ".repeat(indent);
        push_wrapped(&mut self.text, text, indent, self.width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_wrap_with_a_hanging_indent() {
        let mut report = Report::new(75);
        report.add(Outcome::Success, "Status", &["words"; 20].join(" "));
        report.detail(&"x".repeat(90));
        let text = report.text;
        assert!(text.starts_with("\x1b[1m\x1b[32mStatus\x1b[0m     words"), "{text:?}");
        let unstyled = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = unstyled.lines().collect();
        assert_eq!(lines[0], format!("Status     {}", ["words"; 10].join(" ")));
        assert_eq!(lines[1], format!("           {}", ["words"; 10].join(" ")));
        assert_eq!(lines[2], format!("             {}", "x".repeat(90)), "a long word is not broken");
    }
}
