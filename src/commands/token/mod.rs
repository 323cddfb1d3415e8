//! `oneup token`: prints or inspects an access token.

pub(crate) mod inspect;
pub(crate) mod show;
