//! The result of a check, and its report as text and JSON.

use anstyle::AnsiColor;
use serde::Serialize;
use serde_json::json;

use crate::error::Error;
use crate::text::sanitize;

/// The longest detail or fix that is printed, in characters.
const MAX_TEXT_LEN: usize = 400;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// Works, but is unusual, or something optional is missing.
    Warning,
    /// Does not work.
    Failure,
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    #[serde(rename = "status")]
    pub(super) severity: Severity,
    detail: String,
    fix: Option<String>,
}

impl Finding {
    fn new(check: &'static str, severity: Severity, detail: impl AsRef<str>) -> Self {
        Self { check, severity, detail: sanitize(detail.as_ref(), MAX_TEXT_LEN), fix: None }
    }

    pub(super) fn ok(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Severity::Ok, detail)
    }

    pub(super) fn warning(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Severity::Warning, detail)
    }

    pub(super) fn failure(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(check, Severity::Failure, detail)
    }

    /// Returns an error as a failure: message and causes are the detail, the hint is the fix.
    pub(super) fn error(check: &'static str, error: &Error) -> Self {
        let finding = Self::failure(check, error.summary());
        match error.hint() {
            Some(hint) => finding.fix(hint),
            None => finding,
        }
    }

    /// Returns the same finding as a warning.
    pub(super) fn downgrade(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Sets what to do about it: a command, where there is one.
    pub(super) fn fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = Some(sanitize(fix.as_ref(), MAX_TEXT_LEN));
        self
    }
}

/// Returns a line for each finding, with ANSI colors.
pub(super) fn text(findings: &[Finding]) -> String {
    findings.iter().map(line).collect()
}

fn line(Finding { check, severity, detail, fix }: &Finding) -> String {
    let fix = fix.as_ref().map_or(String::new(), |fix| format!("; fix: {fix}"));
    let (name, style) = match severity {
        Severity::Ok => ("ok", AnsiColor::Green.on_default()),
        Severity::Warning => ("warning", AnsiColor::Yellow.on_default().bold()),
        Severity::Failure => ("failure", AnsiColor::Red.on_default().bold()),
    };
    format!("{style}{name:<7}{style:#}  {check:<9}  {detail}{fix}\n")
}

/// Returns the report for programs.
pub(super) fn json(findings: &[Finding]) -> String {
    let ok = findings.iter().all(|finding| finding.severity != Severity::Failure);
    crate::output::json(&json!({ "ok": ok, "checks": findings }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;

    #[test]
    fn error_becomes_one_line_with_its_fix() {
        let error = Error::store(StoreErrorKind::Locked, "it is locked")
            .with_detail("no prompt\nno display")
            .with_hint("unlock it");
        assert_eq!(
            anstream::adapter::strip_str(&text(&[Finding::error("store", &error)])).to_string(),
            "failure  store      it is locked: no prompt: no display; fix: unlock it\n"
        );
    }
}
