//! `oneup export`: a bulk export into a directory.

use std::sync::{Mutex, PoisonError};

use crate::cli::{self, ReportFormat};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::export::parameters::{Level, Parameters, Since};
use crate::export::progress::ExportProgress;
use crate::export::remote::Remote;
use crate::export::{self, Finished, Options};
use crate::http::Http;
use crate::oauth::secret::Secret;
use crate::output::duration;
use crate::session::{Session, TokenOptions};

/// Exports, continues an export, or cancels one.
///
/// # Errors
/// Usage, when DIR holds something else; authentication, network and protocol as the servers respond. Nothing is
/// printed on stdout then.
pub fn run(context: &Context, args: &cli::Export) -> Result<Exit> {
    let (profile, hosts) = super::profile_and_hosts(context, &args.target)?;
    let parameters = Parameters::new(
        &profile.fhir_base,
        level(args),
        &args.types,
        args.since.as_deref().map(Since::parse).transpose()?,
        &args.type_filters,
    )?;
    let session = Session::new(context, profile);
    let used = Mutex::new(Vec::new());
    let tokens = |rejected: Option<&Secret>| {
        let options =
            TokenOptions { scope: args.target.scope.as_deref(), rejected, ..TokenOptions::default() };
        let token = session.access_token(options)?.access_token;
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.contains(&token) {
            used.push(token.clone());
        }
        Ok(token)
    };
    let http = Http::new(context)?;
    let progress = ExportProgress::new(context);
    let remote = Remote { http: &http, tokens: &tokens, hosts: &hosts, progress: &progress };
    if args.cancel {
        export::cancel(&remote, &args.dir)?;
        context.info("The export was cancelled. Complete files stay until the next export.");
        return Ok(Exit::Success);
    }
    let options = Options { dir: &args.dir, parameters, jobs: args.jobs.into(), restart: args.restart };
    let result = export::run(&remote, &options);
    let (bytes, elapsed) = progress.finish();
    let finished = result?;
    report_incomplete(&finished)?;
    print(args, &finished)?;
    if bytes == 0 {
        context.info(format_args!(
            "Exported {}; nothing was left to download.",
            counted(finished.files.len(), "file")
        ));
        return Ok(Exit::Success);
    }
    let rate = describe_rate(bytes, elapsed.as_secs());
    context.info(format_args!(
        "Exported {}. Downloaded {}{rate} with {}.",
        counted(finished.files.len(), "file"),
        indicatif::HumanBytes(bytes),
        counted(used.lock().map_or(0, |used| used.len()), "access token"),
    ));
    Ok(Exit::Success)
}

/// Describes how long a download took, unless that was too short to tell a rate.
fn describe_rate(bytes: u64, seconds: u64) -> String {
    bytes.checked_div(seconds).map_or_else(String::new, |rate| {
        format!(" in {} ({}/s)", duration(seconds), indicatif::HumanBytes(rate))
    })
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn level(args: &cli::Export) -> Level {
    match &args.group {
        Some(id) => Level::Group(id.clone()),
        None if args.patient => Level::Patient,
        None => Level::System,
    }
}

/// Files that are not complete are a failed check.
fn report_incomplete(finished: &Finished) -> Result<()> {
    if finished.incomplete.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = finished.incomplete.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    Err(Error::new(
        ErrorKind::CheckFailed,
        format!("{} of {} files are incomplete", lines.len(), finished.files.len() + lines.len()),
    )
    .with_detail(lines.join("\n"))
    .with_hint(finished.next_step))
}

fn print(args: &cli::Export, finished: &Finished) -> Result<Exit> {
    match args.format {
        ReportFormat::Json => super::print(crate::output::json(&finished.manifest)),
        ReportFormat::Text => {
            let paths = finished.files.iter().map(|name| args.dir.join(name));
            super::print(paths.map(|path| format!("{}\n", path.display())).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_of_less_than_a_second_has_no_rate() {
        assert_eq!(describe_rate(4_474, 0), "");
        assert_eq!(describe_rate(10 * 1024 * 1024, 2), " in 2 s (5.00 MiB/s)");
    }
}
