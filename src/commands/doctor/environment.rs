//! The environment variables that change what oneup does.

use super::check::Finding;
use crate::cli::help::tables::own_variables;
use crate::context::{is_on, nonempty, variable_errors};
use crate::text::closest_match::closest_match;

const CHECK: &str = "variables";

/// Lists the variables in effect, and those that can't be used. No secret is shown.
pub(super) fn variables() -> Vec<Finding> {
    let set = own_variables().filter_map(|name| Some((name, nonempty(name)?)));
    let mut findings: Vec<Finding> = set.map(|(name, value)| in_effect(name, &value)).collect();
    findings.extend(variable_errors().map(|error| Finding::error(CHECK, &error)));
    findings.extend(unknown().map(|name| {
        let fix = match closest_match(&name, own_variables()) {
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

fn in_effect(name: &str, value: &str) -> Finding {
    if name == "ONEUP_TOKEN" {
        return Finding::warning(CHECK, format!("{name} {}", effect(name)))
            .fix("unset ONEUP_TOKEN, or choose a profile with --profile NAME");
    }
    Finding::ok(CHECK, format!("{name}={} {}", display(name, value), effect(name)))
}

fn unknown() -> impl Iterator<Item = String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("ONEUP_") && !own_variables().any(|own| own == name))
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
        _ => format!("sets --{}", name.trim_start_matches("ONEUP_").to_lowercase().replace('_', "-")),
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
        let names: Vec<_> = own_variables().filter(|name| effect(name).starts_with("sets --")).collect();
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
