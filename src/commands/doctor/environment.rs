//! The environment variables that change what oneup does.

use std::ffi::OsString;

use super::check::Finding;
use crate::cli::help::tables::VARIABLES;
use crate::context::{invalid_variables, is_on, nonempty};
use crate::text::closest_match::closest_match;

/// The prefix of oneup's own variables.
const PREFIX: &str = "ONEUP_";

const CHECK: &str = "variables";

/// Lists the variables in effect, and those that can't be used. No secret is shown.
pub(super) fn variables() -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in known() {
        let Some(value) = nonempty(name) else { continue };
        findings.push(match name {
            "ONEUP_TOKEN" => Finding::warning(CHECK, format!("{name} {}", effect(name)))
                .fix("unset ONEUP_TOKEN, or choose a profile with --profile NAME"),
            _ => Finding::ok(CHECK, format!("{name}={} {}", display(name, &value), effect(name))),
        });
    }
    findings.extend(invalid_variables().map(|name| {
        Finding::failure(
            CHECK,
            format!("{name} contains a control character, such as a carriage return (CRLF)"),
        )
        .fix(format!(
            "export {name}=\"$(printf %s \"${name}\" | tr -d '[:cntrl:]')\"; a .env file: dos2unix .env"
        ))
    }));
    findings.extend(unknown().map(|name| {
        let fix = match closest_match(&name, known()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("unset {name}"),
        };
        Finding::warning(CHECK, format!("{name} is an unknown variable")).fix(fix)
    }));
    if is_on("CI") {
        findings.push(Finding::ok(CHECK, "CI disables prompts").fix("unset CI, to be prompted"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "no variable of oneup is set"));
    }
    findings
}

/// The variables that oneup reads, and the one that it sets.
fn known() -> impl Iterator<Item = &'static str> {
    let read = VARIABLES.iter().flat_map(|(names, _)| names.iter().copied());
    read.filter(|name| name.starts_with(PREFIX)).chain(["ONEUP_TOKEN_FILE"])
}

fn unknown() -> impl Iterator<Item = String> {
    let names = std::env::vars_os().filter_map(|(name, _): (OsString, _)| name.into_string().ok());
    names.filter(|name| name.starts_with(PREFIX) && !known().any(|known| known == name))
}

fn display(name: &str, value: &str) -> String {
    // A command can contain a secret.
    if ["ONEUP_CLIENT_SECRET", "ONEUP_CLIENT_SECRET_COMMAND", "ONEUP_KEY_COMMAND", "ONEUP_TOKEN"]
        .contains(&name)
    {
        return "(not shown)".into();
    }
    // So can a URL, in the place of user name and password.
    match value.rsplit_once('@') {
        Some((before, rest)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://***@{rest}"),
            None => format!("***@{rest}"),
        },
        None => value.to_owned(),
    }
}

fn effect(name: &str) -> String {
    match name {
        "ONEUP_CLIENT_SECRET" => "sets the client secret".into(),
        "ONEUP_NO_CACHE" => "disables the token cache in the kernel keyring".into(),
        "ONEUP_TOKEN" => "replaces the profile's token in token show and token inspect".into(),
        "ONEUP_TOKEN_FILE" => "is set by oneup exec --token-file".into(),
        _ => format!("sets --{}", name.trim_start_matches(PREFIX).to_lowercase().replace('_', "-")),
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
    fn variables_that_set_a_flag_name_an_existing_one() {
        let command = crate::cli::help::command();
        let names: Vec<_> = known().filter(|name| effect(name).starts_with("sets --")).collect();
        assert!(names.contains(&"ONEUP_CLIENT_SECRET_FILE") && names.len() > 15, "{names:?}");
        for name in names {
            let effect = effect(name);
            assert!(has_flag(&command, effect.trim_start_matches("sets --")), "{name} {effect}");
        }
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        for (name, value, shown) in [
            ("ONEUP_GATEWAY", "https://me:pw@gw.example/", "https://***@gw.example/"),
            ("ONEUP_GATEWAY", "https://me:p@w/@gw.example", "https://***@gw.example"),
            ("ONEUP_GATEWAY", "me:pw@gw.example", "***@gw.example"),
            ("ONEUP_GATEWAY", "https://gw.example", "https://gw.example"),
            ("ONEUP_CLIENT_SECRET_COMMAND", "echo pw", "(not shown)"),
        ] {
            assert_eq!(display(name, value), shown);
        }
    }
}
