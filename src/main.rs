//! The `oneup` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    oneup::run(&std::env::args_os().collect::<Vec<_>>())
}
