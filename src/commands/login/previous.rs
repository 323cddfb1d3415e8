//! The login that a new one recalls its settings from: the profile's own, or the one that another machine stored in Vault.

use crate::cli::{LoginCommon, StoreChoice};
use crate::context::Context;
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::product::Product;
use crate::profile::{self, Profile};
use crate::session::{self, vault};
use crate::store::StoreKind;
use crate::store::vault::{SharedLogin, Vault, VaultPath};

/// The previous login, whose settings are the defaults: that of the profile here, or the one in Vault.
#[derive(Default)]
pub(super) struct Previous {
    /// The profile whose settings are recalled.
    pub(super) profile: Option<Profile>,
    /// The store of the previous profile here.
    pub(super) store: Option<StoreKind>,
    /// The place in Vault, with `--store vault`.
    pub(super) vault: Option<SharedPlace>,
}

/// A path in Vault, and what is there.
pub(super) struct SharedPlace {
    vault: Vault,
    pub(super) path: VaultPath,
    pub(super) version: u64,
    pub(super) login: Option<SharedLogin>,
}

impl Previous {
    /// With `--no-store` nothing is saved, and so nothing recalled.
    ///
    /// # Errors
    /// Usage: a profile of that name for another product, which would be lost; a path in Vault without that store.
    pub(super) fn find(context: &Context, product: Product, args: &LoginCommon) -> Result<Self> {
        if args.no_store {
            return Ok(Self::default());
        }
        let name = context.profile.as_deref().unwrap_or(product.name());
        let local = profile::load(context.config_dir()?, name)?;
        if let Some(other) = local.as_ref().filter(|previous| previous.product != product) {
            return Err(Error::usage(format!("profile {name} is a login for {}", other.product.title()))
                .with_hint(format!(
                    "choose another --profile NAME, or delete it first: oneup logout --profile {name}"
                )));
        }
        let store = local.as_ref().map(|previous| previous.store);
        let is_vault = match args.store {
            Some(choice) if is_flag("--store") || !is_flag("--vault-path") => choice == StoreChoice::Vault,
            _ => is_flag("--vault-path") || store == Some(StoreKind::Vault),
        };
        if !is_vault && is_flag("--vault-path") {
            return Err(Error::usage("--vault-path needs --store vault"));
        }
        if !is_vault {
            return Ok(Self { profile: local, store, vault: None });
        }
        let recalled = || local.as_ref().and_then(|previous| previous.vault.clone());
        let path = args.vault_path.as_deref().map(VaultPath::parse).transpose()?.or_else(recalled);
        let place = SharedPlace::open(context, path)?;
        let profile = match &place.login {
            Some(login) => Some(login_profile(&place, login, product)?),
            None => local,
        };
        Ok(Self { profile, store, vault: Some(place) })
    }
}

impl SharedPlace {
    fn open(context: &Context, path: Option<VaultPath>) -> Result<Self> {
        let open = |path: &VaultPath| vault::open(context, path, context.deadline());
        let path = session::require_path(path.as_ref())?.clone();
        let path = open(&path)?.resolve()?;
        let vault = open(&path)?;
        let (version, login) = vault.shared_login()?;
        Ok(Self { vault, path, version, login })
    }
}

/// The settings of a login in Vault.
fn login_profile(place: &SharedPlace, login: &SharedLogin, product: Product) -> Result<Profile> {
    let profile: Option<Profile> = serde_json::from_value(login.profile.clone()).ok();
    match profile {
        Some(profile) if profile.product == product => Ok(profile),
        Some(other) => Err(Error::usage(format!(
            "the login at {} in Vault is for {}",
            place.path,
            other.product.title()
        ))
        .with_hint(format!("oneup login {}, or pass another --vault-path", other.product.name()))),
        None => Err(Error::store(
            StoreErrorKind::Corrupt,
            format!("{} in Vault has no valid settings", place.path),
        )
        .with_hint("update oneup, or pass another --vault-path")),
    }
}

/// Checks that a login in Vault is the one that is wanted here: same client, endpoints and scope.
pub(super) fn require_same_login(place: &SharedPlace, login: &SharedLogin, profile: &Profile) -> Result<()> {
    if login.binding != profile.credential_key().binding {
        return Err(place.vault.belongs_to_another(&login.binding));
    }
    let scope = login.profile["scope"].as_str().unwrap_or_default();
    if scope != profile.scope {
        return Err(Error::usage(format!("the login at {} in Vault has another scope", place.path))
            .with_detail(format!("its scope: {scope}"))
            .with_hint("leave out --scope here and pass it to the commands that use the token, or choose another --vault-path"));
    }
    Ok(())
}

/// Whether the flag is on the command line: `sandbox run` sets the variables of both realm and plan.
pub(super) fn is_flag(name: &str) -> bool {
    let matches =
        |arg: &str| arg.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    std::env::args_os().any(|arg| arg.to_str().is_some_and(matches))
}
