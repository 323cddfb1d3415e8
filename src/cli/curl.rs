//! Arguments of `oneup curl`.

use std::ffi::OsString;

use clap::{ArgAction, Args};

use super::sections::{PROGRAM, Sections};
use super::{Target, complete};

/// Run curl with the access token
///
/// Runs the real curl with its own arguments, streams and exit code, and adds `Authorization: Bearer` with a valid
/// token. The token is in no argument list and in no file. A path in the place of a URL is joined to the profile's
/// FHIR base.
///
/// The token goes only to hosts of the profile (its gateway, token and FHIR hosts, 1up.health and its subdomains, the
/// plan's hosts) and to --allow-host. For any other URL oneup fails before curl starts. https only, except on
/// loopback; a URL without a scheme means https; a redirect to another host never carries the token.
///
/// ~/.curlrc is not read, and options that would send the token elsewhere are refused. A 401 is curl's to report:
/// `oneup token show --refresh` gets a new token.
///
/// oneup's options come first; everything after the first other argument, or after `--`, is passed to curl.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
#[command(add = Sections {
    examples: &[
        ("Get a path below the profile's FHIR base", "oneup curl /metadata"),
        (
            "Use any option of curl",
            "oneup curl -fsS -d @body.json -H 'Content-Type: application/fhir+json' \\\n  https://api.1up.health/r4/Patient",
        ),
        (
            "Pass an option that oneup has too, such as -v, to curl",
            "oneup curl --allow-host fhir.example.org -- -v https://fhir.example.org/r4",
        ),
    ],
    exit_codes: PROGRAM,
})]
pub struct Curl {
    #[command(flatten)]
    pub target: Target,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
    /// Arguments for curl
    #[arg(value_name = "CURL-ARGS", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = complete::curl())]
    pub args: Vec<OsString>,
}
