//! Commands that change something, the state of affairs before them, and what must hold after they were cut off.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::realm::{Realm, secret, shown};
use crate::support::{Home, Oneup, Outcome};

/// What is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Deed {
    FirstLogin,
    SecondLogin,
    Renewal,
    Refresh,
    /// A refresh whose old refresh token is spent.
    Rotation,
    Logout,
}

/// A deed in a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) deed: Deed,
    pub(super) store: &'static str,
}

impl Scenario {
    /// A home in the state before.
    pub(super) fn home(self, realm: &Realm) -> Home {
        let home = Home::new();
        match self.deed {
            Deed::FirstLogin => {}
            Deed::Refresh | Deed::Rotation => {
                drop(realm.login_with_code(home.oneup(), "old", self.store).run())
            }
            _ => drop(realm.login(home.oneup(), "old", self.store).run()),
        }
        home
    }

    /// The deed.
    pub(super) fn run(self, run: Oneup, realm: &Realm) -> Oneup {
        // Both stores, and the cache beside the one that needs the kernel anyway.
        let run = if self.store == "keyutils" { run.with_cache() } else { run };
        match self.deed {
            Deed::FirstLogin | Deed::SecondLogin => realm.login(run, "new", self.store),
            Deed::Renewal | Deed::Refresh | Deed::Rotation => run.args(["token", "show", "--refresh"]),
            Deed::Logout => run.arg("logout"),
        }
    }

    /// What is wrong in the home after a deed that ended as `outcome`; in the end the deed is done again, whole, and
    /// everything is forgotten.
    pub(super) fn aftermath(self, home: &Home, realm: &Realm, outcome: &Outcome) -> Vec<String> {
        let mut wrong = Vec::new();
        wrong.extend(open_to_others(home));
        wrong.extend(secrets_outside_the_store(home));
        if !matches!(outcome.status, None | Some(0..=6 | 130 | 137)) {
            wrong.push(format!("it ended as {:?}: {}", outcome.status, outcome.stderr));
        }
        // What is stored must do without the server.
        realm.set_down(true);
        let kept = shown(home);
        realm.set_down(false);
        match &kept {
            Ok(kept) => wrong.extend(self.misfit(outcome, kept.as_deref())),
            Err(error) => wrong.push(error.clone()),
        }
        wrong.extend(self.again(home, realm, &kept.unwrap_or_default()));
        wrong
    }

    /// Whether the token that is kept is one that may be.
    fn misfit(self, outcome: &Outcome, kept: Option<&str>) -> Option<String> {
        let (old, new) = (
            kept.is_some_and(|token| token.starts_with("old-token-")),
            kept.is_some_and(|token| token.starts_with("new-token-")),
        );
        let fits = match (self.deed, outcome.status == Some(0)) {
            (Deed::FirstLogin, true) | (Deed::SecondLogin, true) => new,
            (Deed::FirstLogin, false) => kept.is_none() || new,
            (Deed::SecondLogin, false) => old || new,
            (Deed::Renewal | Deed::Refresh | Deed::Rotation, true) => kept == Some(outcome.stdout.trim_end()),
            (Deed::Renewal | Deed::Refresh | Deed::Rotation, false) => old,
            (Deed::Logout, true) => kept.is_none(),
            (Deed::Logout, false) => kept.is_none() || old,
        };
        (!fits)
            .then(|| format!("exit {:?}, and what is kept is {kept:?}\n{}", outcome.status, outcome.stderr))
    }

    /// The next command works, with a client that is one of the two; then logout leaves nothing at all.
    fn again(self, home: &Home, realm: &Realm, kept: &Option<String>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |name: &str, run: Oneup, may: &[i32]| {
            let output = run.spawn().wait_with_output().expect("it ends");
            let code = output.status.code().unwrap_or(-1);
            if !may.contains(&code) {
                wrong.push(format!("{name} afterwards: {code}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        };
        expect("status", home.oneup().arg("status"), &[0]);
        // A refresh token that is spent, and whose successor never reached the store, is beyond help: then, and only
        // then, the person is told to log in again.
        let spent = self.deed == Deed::Rotation && !in_the_store(home, &realm.newest_refresh_token());
        if kept.is_some() && self.deed != Deed::Logout {
            let code = if spent { 4 } else { 0 };
            expect("a renewal", home.oneup().args(["token", "show", "--refresh"]), &[code]);
        }
        let gone = if kept.is_none() || spent || self.deed == Deed::Logout { &[0, 4][..] } else { &[0] };
        expect("the same", self.run(home.oneup(), realm), gone);
        expect("logout", home.oneup().arg("logout"), if self.deed == Deed::Logout { &[4] } else { &[0] });
        wrong.extend(leftovers(home));
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

/// Whether an item of the file store, and not one that was never finished, holds a text.
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
        ["old", "new"].iter().any(|client| text.contains(&secret(client))) || text.contains("-token-")
    });
    holds.map(|path| format!("a secret is in {}", path.display())).collect()
}

/// What is still there when everybody has logged out.
pub(super) fn leftovers(home: &Home) -> Vec<String> {
    let files = [below(&home.config()), below(&home.state())].concat();
    let files = files.into_iter().filter(|path| path.is_file() && !path.ends_with("profiles/.lock"));
    files.map(|path| format!("left after logout: {}", path.display())).collect()
}
