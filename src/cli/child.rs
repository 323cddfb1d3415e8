//! `oneup curl` and `oneup exec` as data.

use std::ffi::OsString;

use clap::Args;

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Curl {
    /// Send the token to this host too; repeatable
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Fetch other hosts without the token instead of refusing
    #[arg(long)]
    pub no_auth_elsewhere: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// curl's own arguments
    #[arg(value_name = "CURL-ARGS", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::cli::complete::curl())]
    pub args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Exec {
    /// The variable that holds the access token
    #[arg(long, value_name = "NAME", default_value = "ONEUP_TOKEN")]
    pub var: String,
    /// Keep a private file fresh for as long as the command runs; ONEUP_TOKEN_FILE names it
    #[arg(long)]
    pub token_file: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::cli::complete::program())]
    pub command: Vec<OsString>,
}
