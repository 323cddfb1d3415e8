//! What each command's help says besides its flags: examples that can be typed as they stand, and its exit codes.

/// One command's examples and exit codes.
pub struct Topic {
    /// The command's words after `oneup`; empty for oneup itself.
    pub path: &'static str,
    /// What for, and the command lines.
    pub examples: &'static [(&'static str, &'static str)],
    /// Rows of [`super::tables::EXIT_CODES`]: those that the command has, failures without a code of their own apart.
    pub exits: &'static [&'static str],
}

/// The topic of a command.
pub fn of(path: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.path == path)
}

const LOGIN: &[&str] = &["0", "2", "3", "4", "5", "6"];
const PROGRAM: &[&str] = &["125, 126, 127"];

const TOPICS: &[Topic] = &[
    Topic {
        path: "",
        examples: &[
            ("See the main job from end to end, without an account", "oneup sandbox demo"),
            ("Log in once, then use the token", "oneup login provider\noneup curl '/Patient?_count=1'"),
            ("A variable of this shell", "eval \"$(oneup token show --format export)\""),
        ],
        exits: &["0", "1", "2", "3", "4", "5", "6", "7", "125, 126, 127", "130, 143"],
    },
    Topic {
        path: "login",
        examples: &[
            ("Provider Access, asking for client id and client secret", "oneup login provider"),
            ("A second login beside it", "oneup login provider --profile acme"),
            ("Patient Access, in the browser", "oneup login patient"),
        ],
        exits: LOGIN,
    },
    Topic {
        path: "login provider",
        examples: &[
            ("Ask for what is missing, and remember the login", "oneup login provider"),
            (
                "The client secret from a password manager; none is stored",
                "oneup login provider --client-id ID \\\n  --client-secret-command 'pass show 1up/acme'",
            ),
            (
                "In CI, with ONEUP_CLIENT_ID and ONEUP_CLIENT_SECRET set: the token to stdout",
                "oneup login provider --no-store",
            ),
        ],
        exits: LOGIN,
    },
    Topic {
        path: "login p2p",
        examples: &[
            ("Ask for what is missing, and remember the login", "oneup login p2p"),
            (
                "The client secret from a file that only you can read",
                "oneup login p2p --client-id ID --client-secret-file secret.txt",
            ),
        ],
        exits: LOGIN,
    },
    Topic {
        path: "login patient",
        examples: &[
            ("The demo health plan, in the browser of this desk", "oneup login patient --client-id ID"),
            (
                "Over SSH: open the address elsewhere, paste the one that the browser ends on",
                "oneup login patient --client-id ID --no-browser --no-listen",
            ),
            (
                "Another plan, and a refresh token",
                "oneup login patient --plan HOST/SYSTEM \\\n  --scope 'patient/*.read offline_access'",
            ),
        ],
        exits: LOGIN,
    },
    Topic {
        path: "logout",
        examples: &[
            ("The only profile there is", "oneup logout"),
            ("Everything, on a machine without a network", "oneup logout --all --no-revoke"),
        ],
        exits: &["0", "2", "4", "6"],
    },
    Topic {
        path: "status",
        examples: &[
            ("Who is logged in, and for how long", "oneup status"),
            ("Log in only if nobody is", "oneup status --check || oneup login patient"),
        ],
        exits: &["0", "2", "4"],
    },
    Topic {
        path: "token",
        examples: &[
            ("A live access token", "oneup token show"),
            ("What it is worth", "oneup token inspect --verify"),
        ],
        exits: &["0", "2", "3", "4", "5", "6", "7"],
    },
    Topic {
        path: "token show",
        examples: &[
            ("A variable of this shell", "eval \"$(oneup token show --format export)\""),
            ("At least five minutes of life, for a longer job", "oneup token show --min-ttl 300"),
            (
                "A header for another program, in no argument list",
                "curl -H @<(oneup token show --format header) https://api.1up.health/r4",
            ),
        ],
        exits: LOGIN,
    },
    Topic {
        path: "token inspect",
        examples: &[
            ("Why does the API answer 403?", "oneup token inspect --verify"),
            ("A token from somewhere else; nobody else gets to see it", "pbpaste | oneup token inspect -"),
        ],
        exits: &["0", "2", "3", "4", "5", "6", "7"],
    },
    Topic {
        path: "curl",
        examples: &[
            ("A path is joined to the profile's FHIR base", "oneup curl '/Patient?_count=1'"),
            (
                "Everything else is curl's own",
                "oneup curl -fsS -d @body.json -H 'Content-Type: application/fhir+json' \\\n  https://api.1up.health/r4/Patient",
            ),
            (
                "An option that oneup has too, such as -v, is curl's after --",
                "oneup curl --allow-host fhir.example.org -- -v https://fhir.example.org/r4",
            ),
        ],
        exits: PROGRAM,
    },
    Topic {
        path: "exec",
        examples: &[
            ("The token in ONEUP_TOKEN, for this command alone", "oneup exec -- python fetch.py"),
            (
                "A job that outlives a token reads the file that $ONEUP_TOKEN_FILE names",
                "oneup exec --token-file -- ./export.sh",
            ),
        ],
        exits: PROGRAM,
    },
    Topic {
        path: "doctor",
        examples: &[
            ("What is wrong, and how to fix it", "oneup doctor"),
            ("For a bug report", "oneup doctor --format json"),
        ],
        exits: &["0", "2", "7"],
    },
    Topic {
        path: "sandbox",
        examples: &[
            ("The main job, narrated", "oneup sandbox demo"),
            ("A shell in which oneup talks to the stand-in", "oneup sandbox run -- bash"),
        ],
        exits: &["0", "2", "125, 126, 127"],
    },
    Topic {
        path: "sandbox serve",
        examples: &[
            ("On a port that scripts can know", "oneup sandbox serve --port 8080"),
            (
                "Busy twice, then well; tokens live five seconds",
                "oneup sandbox serve --fail 429=2 --token-lifetime 5",
            ),
        ],
        exits: &["2", "130, 143"],
    },
    Topic {
        path: "sandbox run",
        examples: &[
            ("A test that needs no account", "oneup sandbox run -- ./test.sh"),
            (
                "How does it fare when the first two requests fail?",
                "oneup sandbox run --fail 503=2 -- ./test.sh",
            ),
        ],
        exits: PROGRAM,
    },
    Topic {
        path: "sandbox demo",
        examples: &[
            ("In a terminal", "oneup sandbox demo"),
            ("Page by page", "oneup sandbox demo --color always | less -R"),
        ],
        exits: &["0", "1"],
    },
    Topic {
        path: "completions",
        examples: &[
            ("For the bash of this terminal", "source <(oneup completions bash)"),
            ("For every fish from now on", "oneup completions fish > ~/.config/fish/completions/oneup.fish"),
            ("For PowerShell, in $PROFILE", "oneup completions powershell | Out-String | Invoke-Expression"),
        ],
        exits: &["0", "2"],
    },
    Topic {
        path: "man",
        examples: &[
            ("Read a page", "oneup man token show | man -l -"),
            ("Install them all", "oneup man --dir ~/.local/share/man/man1"),
        ],
        exits: &["0", "2"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::{command, tables};

    fn paths(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            paths(sub, format!("{path} {}", sub.get_name()).trim(), found);
        }
    }

    #[test]
    fn every_command_has_two_examples_that_fit_a_terminal_and_its_exit_codes() {
        let mut found = Vec::new();
        paths(&command(), "", &mut found);
        assert_eq!(found.len(), TOPICS.len());
        for path in found {
            let topic = of(&path).unwrap_or_else(|| panic!("no topic {path:?}"));
            assert!(topic.examples.len() >= 2, "{path}");
            for (what, lines) in topic.examples {
                assert!(what.chars().count() <= 76, "{what}");
                for line in lines.lines() {
                    assert!(line.chars().count() <= 76 && line.is_ascii(), "{line}");
                }
            }
            for code in topic.exits {
                assert!(tables::EXIT_CODES.iter().any(|(told, _)| told == code), "{path}: {code}");
            }
        }
    }

    /// The words of a command line as a shell would make them, up to where oneup's end. Double quotes are other programs'.
    fn words(line: &str) -> Vec<String> {
        let quoted = line.split('\'').enumerate().flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        quoted.take_while(|word| !matches!(word.as_str(), "|" | ">" | "||")).collect()
    }

    /// An example that oneup itself would refuse teaches nothing.
    #[test]
    fn every_example_parses() {
        for (_, lines) in TOPICS.iter().flat_map(|topic| topic.examples) {
            for line in lines.replace("\\\n", " ").lines() {
                let start = line.find("oneup ").expect("oneup is in it");
                let substituted = line[..start].ends_with('(');
                let end = line.find(')').filter(|_| substituted).unwrap_or(line.len());
                let result = command().try_get_matches_from(words(&line[start..end]));
                assert!(result.is_ok(), "{line}: {}", result.expect_err("a refusal"));
            }
        }
    }
}
