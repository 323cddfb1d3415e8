//! Arguments of `oneup completions`.

use clap::Args;

use super::sections::Sections;

/// Print a shell completion script
///
/// At TAB the script asks oneup itself, so that profile names complete too.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Complete in this bash session", "source <(oneup completions bash)"),
        ("Complete in zsh, from ~/.zshrc, after compinit", "source <(oneup completions zsh)"),
        ("Complete in every new fish session", "oneup completions fish > ~/.config/fish/completions/oneup.fish"),
        ("Complete in elvish, from rc.elv", "eval (oneup completions elvish | slurp)"),
        ("Complete in PowerShell, from $PROFILE", "oneup completions powershell | Out-String | Invoke-Expression"),
    ],
    exit_codes: &["0", "1", "2"],
})]
pub struct Completions {
    /// Shell that the script is for
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
