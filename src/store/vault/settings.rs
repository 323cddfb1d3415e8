//! A Vault server, and how to authenticate to it.

use std::sync::{Mutex, PoisonError};

use crate::oauth::secret::Secret;

/// How to authenticate to Vault.
pub enum Auth {
    /// A token, and where it is from.
    Token {
        /// `X-Vault-Token`.
        token: Secret,
        /// A variable or a file, for messages.
        source: String,
    },
    /// The AppRole method.
    AppRole {
        /// The method's mount.
        mount: String,
        /// The role.
        role_id: String,
        /// The role's secret, unless it needs none.
        secret_id: Option<Secret>,
    },
    /// The Kubernetes method.
    Kubernetes {
        /// The method's mount.
        mount: String,
        /// The role.
        role: String,
        /// The token of the service account.
        jwt: Secret,
    },
}

impl Auth {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Token { source, .. } => source.clone(),
            Self::AppRole { mount, .. } => format!("AppRole at auth/{mount}"),
            Self::Kubernetes { mount, role, .. } => format!("Kubernetes role {role} at auth/{mount}"),
        }
    }

    pub(super) fn repair(&self) -> &'static str {
        match self {
            Self::Token { .. } => "vault login, or set VAULT_TOKEN to a new token",
            Self::AppRole { .. } => {
                "check VAULT_ROLE_ID and VAULT_SECRET_ID (or …_FILE): a secret ID can expire or be used up"
            }
            Self::Kubernetes { .. } => "check VAULT_ROLE, and that the role is bound to this service account",
        }
    }
}

/// A server and how to use it, from Vault's own variables.
pub struct Settings {
    /// The base URL.
    pub address: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// How to authenticate.
    pub auth: Auth,
    /// The token of a login, for the rest of the process.
    login: Mutex<Option<Secret>>,
}

impl Settings {
    /// Settings without a login yet.
    pub fn new(address: String, namespace: Option<String>, auth: Auth) -> Self {
        Self { address, namespace, auth, login: Mutex::default() }
    }

    pub(super) fn login(&self) -> Option<Secret> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_login(&self, token: Secret) {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    pub(super) fn forget_login(&self) {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
