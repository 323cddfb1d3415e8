//! `oneup use`: sets the default profile.

use crate::cli::UseProfile;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::profile;

/// Sets or removes the default profile.
///
/// # Errors
/// Authentication: no such profile. A config directory that can't be written.
pub fn run(context: &Context, args: &UseProfile) -> Result<Exit> {
    profile::set_default(context.config_dir()?, args.name.as_deref())?;
    match &args.name {
        Some(name) => context.info(format_args!("The default profile is {name}.")),
        None => context.info("There is no default profile."),
    }
    if context.profile.is_some() && !context.profile_from_flag {
        context.warn("ONEUP_PROFILE is set and selects the profile instead");
    }
    Ok(Exit::Success)
}
