//! `oneup token`: prints, inspects or revokes an access token.

pub(crate) mod input;
pub(crate) mod inspect;
pub(crate) mod revoke;
pub(crate) mod show;
