//! The commands that stand in loops, prompts and pipes, read without describing all the others to clap.
//!
//! Describing the whole command line takes longer than all the rest of a `token show`. What is not understood here is
//! not refused here: clap reads it again, whole, and has the words for it.

use std::ffi::OsString;

use clap::{Args, FromArgMatches, ValueEnum};

use super::{Cli, Color, Command, Globals, Show, TokenCommand, TokenFormat};

/// The command line, where it begins with a hot command and is right; none for all else, help and mistakes included.
pub fn parse(args: &[OsString]) -> Option<Cli> {
    let word = |at: usize| args.get(at).and_then(|arg| arg.to_str());
    match (word(1)?, word(2)) {
        ("token", Some("show")) => {
            show(&args[3..]).or_else(|| alone(&args[2..], |show| Command::Token(TokenCommand::Show(show))))
        }
        ("curl", _) => alone(&args[1..], Command::Curl),
        ("exec", _) => alone(&args[1..], Command::Exec),
        ("status", _) => alone(&args[1..], Command::Status),
        _ => None,
    }
}

/// `token show` as it nearly always stands: alone, or with a profile or a format.
fn show(args: &[OsString]) -> Option<Cli> {
    let (mut profile, mut format) = (None, None);
    for pair in args.chunks(2) {
        let [flag, value] = pair else { return None };
        let known = match flag.to_str()? {
            "--profile" => &mut profile,
            "--format" => &mut format,
            _ => return None,
        };
        let value = value.to_str().filter(|value| !value.is_empty() && !value.starts_with('-'))?;
        if known.replace(value).is_some() {
            return None;
        }
    }
    let format = format.map_or(Some(TokenFormat::Raw), |name| TokenFormat::from_str(name, false).ok())?;
    let show = Show { format, min_ttl: None, refresh: false };
    Some(Cli { globals: environment(profile)?, command: Command::Token(TokenCommand::Show(show)) })
}

/// Variables that `Globals` names too, and that stand for a directory here as there.
const DIRECTORIES: [&str; 2] = ["ONEUP_CONFIG_DIR", "ONEUP_STATE_DIR"];

/// Those of `Globals` that clap alone understands.
const RARE: [&str; 3] = ["ONEUP_NO_INPUT", "ONEUP_TIMEOUT", "ONEUP_CACERT"];

/// The global flags where none is given; none where a variable is set that only clap reads.
fn environment(profile: Option<&str>) -> Option<Globals> {
    let [config_dir, state_dir] = DIRECTORIES.map(std::env::var_os);
    let empty = [&config_dir, &state_dir].into_iter().flatten().any(|dir| dir.is_empty());
    if empty || RARE.into_iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    Some(Globals {
        profile: profile.map(str::to_owned),
        config_dir: config_dir.map(Into::into),
        state_dir: state_dir.map(Into::into),
        no_input: false,
        timeout: super::TIMEOUT,
        cacert: None,
        verbose: false,
        quiet: false,
        color: Color::Auto,
    })
}

/// Reads one command's arguments and the global flags; the first argument is the command's name. The description is
/// leaked: freeing its strings, just before the process ends and they go anyway, takes as long as making them.
fn alone<T: Args>(args: &[OsString], wrap: impl Fn(T) -> Command) -> Option<Cli> {
    let described = Globals::augment_args(T::augment_args(clap::Command::new("oneup")));
    let mut matches = Box::leak(Box::new(described)).try_get_matches_from_mut(args).ok()?;
    let globals = Globals::from_arg_matches_mut(&mut matches).ok()?;
    Some(Cli { globals, command: wrap(T::from_arg_matches_mut(&mut matches).ok()?) })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn both(line: &str) -> (Option<String>, Option<String>) {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let shown = |cli: Cli| format!("{cli:?}");
        (parse(&args).map(shown), Cli::try_parse_from(&args).ok().map(shown))
    }

    #[test]
    fn what_is_read_here_is_read_as_clap_reads_it() {
        for line in [
            "oneup token show",
            "oneup token show --profile acme",
            "oneup token show --format github --profile acme",
            "oneup token show --format=json -v",
            "oneup token show --min-ttl 300 --refresh --timeout 5",
            "oneup curl -sS /Patient",
            "oneup curl --allow-host a.example --profile p -- -v --help",
            "oneup curl -V",
            "oneup exec --token-file -- sh -c true",
            "oneup status --format json --check",
        ] {
            let (hot, whole) = both(line);
            assert!(hot.is_some(), "{line}");
            assert_eq!(hot, whole, "{line}");
        }
    }

    #[test]
    fn every_variable_of_a_global_flag_is_known_here() {
        let described = Globals::augment_args(clap::Command::new("oneup"));
        let mut theirs: Vec<_> =
            described.get_arguments().filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned)).collect();
        let mut ours: Vec<_> = DIRECTORIES.into_iter().chain(RARE).map(str::to_owned).collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn mistakes_help_and_other_commands_are_left_to_clap() {
        for line in [
            "oneup",
            "oneup token",
            "oneup token shwo",
            "oneup token show --help",
            "oneup token show -h",
            "oneup token show --version",
            "oneup token show extra",
            "oneup token show --profile",
            "oneup token show --profile --refresh",
            "oneup token show --profile a --profile b",
            "oneup token show --format xml",
            "oneup token show -q -v",
            "oneup curl --help",
            "oneup curl",
            "oneup exec",
            "oneup exec --help",
            "oneup status --all",
            "oneup --profile acme token show",
            "oneup login provider",
        ] {
            let (hot, _) = both(line);
            assert_eq!(hot, None, "{line}");
        }
    }
}
