//! Directories, profiles, variables, and the credential store.

use std::path::Path;

use super::Check;
use super::check::{Finding, Status};
use crate::cli::help::tables::VARIABLES;
use crate::context::{Context, nonempty};
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::Secret;
use crate::profile::Profile;
use crate::session::STORE_TIMEOUT;
use crate::store::{self, Binding, CredentialKey, StoreKind, StoredCredentials};
use crate::text::closest_match::closest_match;

/// How the names of oneup's own variables begin.
const OURS: &str = "ONEUP_";

pub(super) fn config_dir(context: &Context, _: &[Profile]) -> Vec<Finding> {
    vec![writable("config", context.config_dir(), "--config-dir")]
}

pub(super) fn state_dir(context: &Context, _: &[Profile]) -> Vec<Finding> {
    vec![writable("state", context.state_dir(), "--state-dir")]
}

/// Tries a nameless file in the directory, or in the closest_match one above it that is there.
fn writable(check: &'static str, dir: Result<&Path>, flag: &str) -> Finding {
    let dir = match dir {
        Ok(dir) => dir,
        Err(error) => return Finding::error(check, &error),
    };
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let shown = dir.display();
    match tempfile::tempfile_in(there) {
        Ok(_) if there == dir => Finding::ok(check, format!("{shown}")),
        Ok(_) => Finding::ok(check, format!("{shown}, not made yet")),
        Err(error) => Finding::failure(check, format!("can't write {}: {error}", there.display()))
            .fix(format!("make it writable, or choose another directory with {flag} DIR")),
    }
}

/// One finding for those that are well, one for each that isn't.
pub(super) fn profiles(profiles: &[Profile], mut broken: Vec<Finding>) -> Vec<Finding> {
    let names: Vec<String> =
        profiles.iter().map(|profile| format!("{} ({})", profile.name, profile.origin())).collect();
    if !names.is_empty() {
        broken.insert(0, Finding::ok("profile", names.join(", ")));
    } else if broken.is_empty() {
        broken.push(
            Finding::warning("profile", "nobody is logged in")
                .fix("oneup login provider, p2p or patient; without an account: oneup sandbox demo"),
        );
    }
    broken
}

/// What the environment overrides. No secret's value is shown.
pub(super) fn variables() -> Vec<Finding> {
    let mut found = Vec::new();
    for name in known() {
        let Some(value) = nonempty(name) else { continue };
        let shown = if is_secret(name) { "(not shown)" } else { value.as_str() };
        found.push(match name {
            "ONEUP_TOKEN" => Finding::warning("variables", format!("{name} {}", effect(name)))
                .fix("unset ONEUP_TOKEN, or name a profile with --profile"),
            _ => Finding::ok("variables", format!("{name}={shown} {}", effect(name))),
        });
    }
    let strange = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in strange.filter(|name| name.starts_with(OURS) && !known().any(|known| known == name)) {
        let fix = match closest_match(&name, known()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("unset {name}"),
        };
        found.push(Finding::warning("variables", format!("{name} means nothing to oneup")).fix(fix));
    }
    if found.is_empty() {
        found.push(Finding::ok("variables", "none of oneup's is set"));
    }
    found
}

/// The variables of oneup's own that it reads, and the one that it sets.
fn known() -> impl Iterator<Item = &'static str> {
    let read = VARIABLES.iter().flat_map(|(names, _)| names.iter().copied());
    read.filter(|name| name.starts_with(OURS)).chain(["ONEUP_TOKEN_FILE"])
}

/// A command can have a secret in its arguments.
fn is_secret(name: &str) -> bool {
    ["ONEUP_CLIENT_SECRET", "ONEUP_CLIENT_SECRET_COMMAND", "ONEUP_TOKEN"].contains(&name)
}

fn effect(name: &str) -> String {
    match name {
        "ONEUP_CLIENT_SECRET" => "stands for the client secret".into(),
        "ONEUP_NO_CACHE" => "turns off the kernel cache of live tokens".into(),
        "ONEUP_TOKEN" => "is what token show and inspect take instead of a profile's".into(),
        "ONEUP_TOKEN_FILE" => "is what oneup exec --token-file sets".into(),
        _ => format!("stands for --{}", name.trim_start_matches(OURS).to_lowercase().replace('_', "-")),
    }
}

/// A round trip through each store that a profile names; through the one that a login would take where there is none.
pub(super) fn stores(context: &Context, profiles: &[Profile]) -> Vec<Check> {
    let mut kinds: Vec<StoreKind> = Vec::new();
    for profile in profiles {
        if !kinds.contains(&profile.store) {
            kinds.push(profile.store);
        }
    }
    if kinds.is_empty() {
        let context = context.clone();
        return vec![("store", Box::new(move || vec![next_login(&context)]))];
    }
    let check = |kind| -> Check {
        let context = context.clone();
        ("store", Box::new(move || vec![finding(kind, round_trip(&context, kind))]))
    };
    kinds.into_iter().map(check).collect()
}

fn next_login(context: &Context) -> Finding {
    let asked = match nonempty("ONEUP_STORE").as_deref() {
        Some("keyring") => Some(StoreKind::Keyring),
        Some("keyutils") => Some(StoreKind::Keyutils),
        Some("file") => Some(StoreKind::File),
        _ => None,
    };
    match store::choose(asked, false) {
        Ok((kind, note)) => {
            let finding = finding(kind, round_trip(context, kind));
            match note {
                // What a login would say of it matters only when it works.
                Some(note) if finding.status == Status::Ok => {
                    Finding::warning("store", format!("{note}; a login there is lost at reboot"))
                        .fix("log in again with --store keyring or --store file")
                }
                _ => finding,
            }
        }
        Err(error) => Finding::error("store", &error),
    }
}

fn finding(kind: StoreKind, outcome: Result<()>) -> Finding {
    let name = match kind {
        StoreKind::Keyring => "keyring",
        StoreKind::Keyutils => "keyutils (the kernel's, lost at reboot)",
        StoreKind::File => "file (not encrypted)",
    };
    match outcome {
        Ok(()) => Finding::ok("store", format!("{name}: written, read and deleted a dummy")),
        Err(error) => Finding::error("store", &error),
    }
}

/// Never prompts: a locked keyring is to be told, not waited for.
fn round_trip(context: &Context, kind: StoreKind) -> Result<()> {
    let patience = context.timeout.min(STORE_TIMEOUT);
    let store = store::open(kind, context.state_dir()?, patience, false);
    let key =
        CredentialKey { id: Profile::new_id(), profile: "oneup doctor".into(), binding: Binding::default() };
    let dummy = StoredCredentials {
        client_secret: Some(Secret::new("dummy of oneup doctor")),
        ..StoredCredentials::default()
    };
    store.write(&key, &dummy)?;
    let read = store.read(&key);
    let deleted = store.delete(&key.id);
    match (read?, deleted?) {
        (Some(item), true) if item.client_secret == dummy.client_secret => Ok(()),
        _ => Err(Error::store(StoreErrorKind::Failed, "the store does not give back what was put in")
            .with_hint("log in with another --store")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_flag(command: &clap::Command, flag: &str) -> bool {
        command.get_arguments().any(|arg| arg.get_long() == Some(flag))
            || command.get_subcommands().any(|sub| has_flag(sub, flag))
    }

    #[test]
    fn a_variable_that_stands_for_a_flag_names_one_that_is_there() {
        let command = crate::cli::help::command();
        let stand_ins: Vec<_> = known().filter(|name| effect(name).starts_with("stands for --")).collect();
        assert!(stand_ins.contains(&"ONEUP_CLIENT_SECRET_FILE") && stand_ins.len() > 15, "{stand_ins:?}");
        for name in stand_ins {
            let effect = effect(name);
            let flag = effect.trim_start_matches("stands for --");
            assert!(has_flag(&command, flag), "{name} {effect}");
        }
    }
}
