//! The `oneup` program.

fn main() {
    // Not `ExitCode`, which is limited to 255: on Windows the exit code of the user's program can be higher.
    std::process::exit(oneup::run(&std::env::args_os().collect::<Vec<_>>()))
}
