//! Commands that change something, the state before them, and what must hold after they were interrupted.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Home, Oneup, Outcome, TokenEndpoint, TokenEndpointBuilder, client_secret};

/// The operation that is interrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    FirstLogin,
    SecondLogin,
    /// A new token by client credentials.
    NewToken,
    Refresh,
    /// A refresh after which the old refresh token no longer works.
    Rotation,
    Logout,
}

/// An operation with a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) operation: Operation,
    pub(super) store: &'static str,
}

impl Scenario {
    /// Returns a home in the state before the operation.
    pub(super) fn home(self, endpoint: &TokenEndpoint) -> Home {
        let home = Home::new();
        match self.operation {
            Operation::FirstLogin => {}
            Operation::Refresh | Operation::Rotation => {
                drop(endpoint.login_with_code(home.oneup(), "old", self.store).run())
            }
            _ => drop(endpoint.login_as(home.oneup(), "old", self.store).run()),
        }
        home
    }

    /// The operation.
    pub(super) fn run(self, run: Oneup, endpoint: &TokenEndpoint) -> Oneup {
        // The cache is used with the store that needs the kernel keyring anyway.
        let run = if self.store == "keyutils" { run.with_cache() } else { run };
        match self.operation {
            Operation::FirstLogin | Operation::SecondLogin => endpoint.login_as(run, "new", self.store),
            Operation::NewToken | Operation::Refresh | Operation::Rotation => {
                run.args(["token", "show", "--refresh"])
            }
            Operation::Logout => run.arg("logout"),
        }
    }

    /// Returns the problems in the home after an operation that ended with `outcome`. At the end the operation is repeated,
    /// and everything is logged out.
    pub(super) fn problems_after(
        self,
        home: &Home,
        endpoint: &TokenEndpoint,
        outcome: &Outcome,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        wrong.extend(open_to_others(home));
        wrong.extend(secrets_outside_the_store(home));
        if !matches!(outcome.status, None | Some(0..=6 | 130 | 137)) {
            wrong.push(format!("it ended as {:?}: {}", outcome.status, outcome.stderr));
        }
        // A stored token needs no server.
        endpoint.set_down(true);
        let kept = shown(home);
        endpoint.set_down(false);
        match &kept {
            Ok(kept) => wrong.extend(self.unexpected_token(outcome, kept.as_deref())),
            Err(error) => wrong.push(error.clone()),
        }
        wrong.extend(self.problems_of_next_commands(home, endpoint, &kept.unwrap_or_default()));
        wrong
    }

    /// Returns a problem if the stored token is not an expected one.
    fn unexpected_token(self, outcome: &Outcome, kept: Option<&str>) -> Option<String> {
        let (old, new) = (
            kept.is_some_and(|token| token.starts_with("old-token-")),
            kept.is_some_and(|token| token.starts_with("new-token-")),
        );
        let fits = match (self.operation, outcome.status == Some(0)) {
            (Operation::FirstLogin, true) | (Operation::SecondLogin, true) => new,
            (Operation::FirstLogin, false) => kept.is_none() || new,
            (Operation::SecondLogin, false) => old || new,
            (Operation::NewToken | Operation::Refresh | Operation::Rotation, true) => {
                kept == Some(outcome.stdout.trim_end())
            }
            (Operation::NewToken | Operation::Refresh | Operation::Rotation, false) => old,
            (Operation::Logout, true) => kept.is_none(),
            (Operation::Logout, false) => kept.is_none() || old,
        };
        (!fits)
            .then(|| format!("exit {:?}, and what is kept is {kept:?}\n{}", outcome.status, outcome.stderr))
    }

    /// Returns the problems of the next commands: they work, with one of the two clients; logout leaves nothing.
    fn problems_of_next_commands(
        self,
        home: &Home,
        endpoint: &TokenEndpoint,
        kept: &Option<String>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |name: &str, run: Oneup, may: &[i32]| {
            let output = run.spawn().wait_with_output().expect("it ends");
            let code = output.status.code().unwrap_or(-1);
            if !may.contains(&code) {
                wrong.push(format!("{name} afterwards: {code}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        };
        expect("status", home.oneup().arg("status"), &[0]);
        // If a refresh token was consumed and the new one is not stored, the login is lost; only then must the user log in
        // again.
        let consumed =
            self.operation == Operation::Rotation && !in_the_store(home, &endpoint.newest_refresh_token());
        if kept.is_some() && self.operation != Operation::Logout {
            let code = if consumed { 4 } else { 0 };
            expect("a refresh", home.oneup().args(["token", "show", "--refresh"]), &[code]);
        }
        let gone = if kept.is_none() || consumed || self.operation == Operation::Logout {
            &[0, 4][..]
        } else {
            &[0]
        };
        expect("the same", self.run(home.oneup(), endpoint), gone);
        expect(
            "logout",
            home.oneup().arg("logout"),
            if self.operation == Operation::Logout { &[4] } else { &[0] },
        );
        wrong.extend(remaining_files(home));
        wrong
    }
}

/// Every file and directory below a directory.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            all.extend(below(&entry.path()));
        }
        all.push(entry.path());
    }
    all
}

fn open_to_others(home: &Home) -> Vec<String> {
    let all = [below(&home.config()), below(&home.state())].concat();
    let open = all.iter().filter(|path| {
        let mode = std::fs::symlink_metadata(path).expect("it is there").permissions().mode();
        mode & 0o077 != 0
    });
    open.map(|path| format!("others can read {}", path.display())).collect()
}

/// Returns whether a finished file of the file store contains a text.
fn in_the_store(home: &Home, text: &str) -> bool {
    let items = below(&home.state().join("secrets"));
    let mut whole = items.iter().filter(|item| !item.to_string_lossy().ends_with(".new"));
    whole.any(|item| std::fs::read_to_string(item).is_ok_and(|item| item.contains(text)))
}

fn secrets_outside_the_store(home: &Home) -> Vec<String> {
    let all = [below(&home.config()), below(&home.state())].concat();
    let outside = all.iter().filter(|path| path.is_file() && !path.starts_with(home.state().join("secrets")));
    let holds = outside.filter(|path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).expect("readable")).into_owned();
        ["old", "new"].iter().any(|client| text.contains(&client_secret(client))) || text.contains("-token-")
    });
    holds.map(|path| format!("a secret is in {}", path.display())).collect()
}

/// Returns the files that are left after logging out.
pub(super) fn remaining_files(home: &Home) -> Vec<String> {
    let files = [below(&home.config()), below(&home.state())].concat();
    let files = files.into_iter().filter(|path| {
        path.is_file() && !path.ends_with("profiles/.lock") && !path.ends_with("state/kernel-keyring.key")
    });
    files.map(|path| format!("left after logout: {}", path.display())).collect()
}

/// A token endpoint that accepts the clients `old` and `new`, and names the client in each token.
pub(super) fn checking_clients() -> TokenEndpointBuilder {
    TokenEndpoint::builder().checks_clients()
}

/// The token that a home's only profile has; `None` when not logged in. Anything else is a loss.
pub(super) fn shown(home: &Home) -> Result<Option<String>, String> {
    let output = home.oneup().args(["token", "show"]).spawn().wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(Some(stdout.trim_end().to_owned())),
        Some(4) if stderr.contains("hint: oneup login") || stderr.contains("log in again: oneup login") => {
            Ok(None)
        }
        code => Err(format!("token show: {code:?}: {stderr}")),
    }
}
