//! What a check found, and how it is shown.

use serde_json::{Value, json};

use crate::error::Error;
use crate::text::sanitize;

/// The longest detail or fix that is shown, in characters.
const LONGEST: usize = 400;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, and something is odd or missing.
    Warning,
    /// It doesn't work.
    Failure,
}

/// One line of the report.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) status: Status,
    detail: String,
    fix: Option<String>,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warning => "\x1b[1;33m",
            Self::Failure => "\x1b[1;31m",
        }
    }
}

impl Finding {
    fn new(check: &'static str, status: Status, detail: impl AsRef<str>) -> Self {
        Self { check, status, detail: sanitize(detail.as_ref(), LONGEST), fix: None }
    }

    pub(super) fn ok(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Status::Ok, detail)
    }

    pub(super) fn warning(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Status::Warning, detail)
    }

    pub(super) fn failure(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Status::Failure, detail)
    }

    /// A failure told by an error: what and why are the detail, its hint is the fix.
    pub(super) fn error(check: &'static str, error: &Error) -> Self {
        let finding = Self::failure(check, error.summary());
        match error.hint() {
            Some(hint) => finding.fix(hint),
            None => finding,
        }
    }

    /// The same as a warning: oneup can do without.
    pub(super) fn mild(mut self) -> Self {
        self.status = Status::Warning;
        self
    }

    /// What to do about it.
    pub(super) fn fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = Some(sanitize(fix.as_ref(), LONGEST));
        self
    }
}

/// A line each, with ANSI colours.
pub(super) fn text(findings: &[Finding]) -> String {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let Finding { check, status, detail, fix } = finding;
    let fix = fix.as_ref().map_or(String::new(), |fix| format!("; fix: {fix}"));
    format!("{}{:<7}\x1b[0m  {check:<9}  {detail}{fix}\n", status.colour(), status.name())
}

/// The same for programs.
pub(super) fn json(findings: &[Finding]) -> String {
    let checks: Vec<Value> = findings
        .iter()
        .map(|Finding { check, status, detail, fix }| {
            json!({ "check": check, "status": status.name(), "detail": detail, "fix": fix })
        })
        .collect();
    let ok = findings.iter().all(|finding| finding.status != Status::Failure);
    crate::output::json(&json!({ "ok": ok, "checks": checks }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;

    #[test]
    fn an_error_becomes_one_line_with_its_fix() {
        let error = Error::store(StoreErrorKind::Locked, "it is locked")
            .with_detail("no prompt\nno display")
            .with_hint("unlock it");
        assert_eq!(
            anstream::adapter::strip_str(&text(&[Finding::error("store", &error)])).to_string(),
            "failure  store      it is locked: no prompt: no display; fix: unlock it\n"
        );
    }
}
