//! Directories, profiles and credential stores.

use std::path::Path;

use clap::ValueEnum;

use super::Checks;
use super::check::{Finding, Severity};
use crate::cli::StoreChoice;
use crate::context::{Context, nonempty};
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::Secret;
use crate::profile::{self, Profile};
use crate::session::open_store;
use crate::store::{self, Binding, CredentialKey, CredentialStore, StoreKind, StoredCredentials};
use crate::system::files;

/// Creates a temporary file in the directory, or in the closest ancestor that exists.
pub(super) fn directory(check: &'static str, dir: Result<&Path>, flag: &str) -> Finding {
    let dir = match dir {
        Ok(dir) => dir,
        Err(error) => return Finding::error(check, &error),
    };
    let existing = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    if let Err(error) = tempfile::tempfile_in(existing) {
        return Finding::failure(check, format!("can't write {}: {error}", existing.display()))
            .fix(format!("make it writable, or choose another directory with {flag} DIR"));
    }
    if existing != dir {
        return Finding::ok(check, format!("{} does not exist yet", dir.display()));
    }
    match files::probe_private(dir) {
        Ok(()) => Finding::ok(check, dir.display().to_string()),
        Err(error) => Finding::failure(check, error.summary())
            .fix(format!("choose a directory on another file system with {flag} DIR")),
    }
}

/// Returns one finding for the readable profiles, and `broken` for the others.
pub(super) fn profiles(profiles: &[Profile], mut broken: Vec<Finding>) -> Vec<Finding> {
    let names: Vec<String> =
        profiles.iter().map(|profile| format!("{} ({})", profile.name, profile.origin())).collect();
    if !names.is_empty() {
        broken.insert(0, Finding::ok("profile", names.join(", ")));
    } else if broken.is_empty() {
        broken.push(
            Finding::warning("profile", "not logged in")
                .fix(format!("{}; without an account: oneup sandbox demo", profile::LOGIN_COMMANDS)),
        );
    }
    broken
}

/// Starts a check for each store that a profile uses, or for the one that a login would choose.
pub(super) fn start(checks: &mut Checks, profiles: &[Profile]) {
    if profiles.is_empty() {
        checks.start("store", |context| [next_login(context)]);
    }
    let mut kinds = Vec::new();
    for profile in profiles {
        if profile.store == StoreKind::Vault {
            let profile = profile.clone();
            checks.start("store", move |context| [vault(context, &profile)]);
        } else if !kinds.contains(&profile.store) {
            let kind = profile.store;
            kinds.push(kind);
            checks.start("store", move |context| [store_finding(kind, round_trip(context, kind))]);
        }
    }
}

/// Reads a login in Vault and checks that it may be written. A test value would get in the way of other machines.
fn vault(context: &Context, profile: &Profile) -> Finding {
    let key = profile.credential_key();
    let probe = |store: Box<dyn CredentialStore>| {
        store.probe(&key)?;
        store.read(&key).map(|stored| stored.is_some())
    };
    let path = profile.vault.as_ref().map(ToString::to_string).unwrap_or_default();
    match open_store(context, profile.location(), context.deadline()).and_then(probe) {
        Ok(true) => Finding::ok("store", format!("vault: the login at {path} can be read and updated")),
        Ok(false) => Finding::failure("store", format!("vault: there is no login at {path}"))
            .fix(profile.login_command()),
        Err(error) => Finding::error("store", &error),
    }
}

fn next_login(context: &Context) -> Finding {
    let choice = nonempty("ONEUP_STORE").and_then(|name| StoreChoice::from_str(name.trim(), false).ok());
    if choice == Some(StoreChoice::Vault) {
        return Finding::ok("store", "vault: --vault-path is checked at the login");
    }
    match store::choose(choice.and_then(StoreChoice::kind), false) {
        Ok((kind, notice)) => {
            let finding = store_finding(kind, round_trip(context, kind));
            match notice {
                // The notice of a login matters only if the store works.
                Some(notice) if finding.severity == Severity::Ok => {
                    Finding::warning("store", format!("{notice}; a login there is lost at reboot"))
                        .fix("log in again with --store keyring or --store file")
                }
                _ => finding,
            }
        }
        Err(error) => Finding::error("store", &error),
    }
}

fn store_finding(kind: StoreKind, result: Result<()>) -> Finding {
    let name = match kind {
        StoreKind::Keyring => "keyring",
        StoreKind::Keyutils => "keyutils (kernel keyring, lost at reboot)",
        StoreKind::File if cfg!(windows) => {
            "file (not encrypted; its ACL admits you, administrators and the system)"
        }
        StoreKind::File => "file (not encrypted)",
        StoreKind::Vault => "vault",
    };
    match result {
        Ok(()) => Finding::ok("store", format!("{name}: a test value was written, read and deleted")),
        Err(error) => Finding::error("store", &error),
    }
}

/// Never prompts: a locked keyring is a finding.
fn round_trip(context: &Context, kind: StoreKind) -> Result<()> {
    let mut context = context.clone();
    context.no_input = true;
    let context = &context;
    let store = open_store(context, kind, context.deadline())?;
    let key =
        CredentialKey { id: Profile::new_id(), profile: "oneup doctor".into(), binding: Binding::default() };
    let written = StoredCredentials {
        client_secret: Some(Secret::new("test value of oneup doctor")),
        ..StoredCredentials::default()
    };
    store.write(&key, &written)?;
    let read = store.read(&key);
    let deleted = store.delete(&key.id);
    match (read?, deleted?) {
        (Some(read), true) if read.client_secret == written.client_secret => Ok(()),
        _ => Err(Error::store(StoreErrorKind::Failed, "the store does not return what was written")
            .with_hint("log in with another --store")),
    }
}
