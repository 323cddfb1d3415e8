# Short names for frequent commands; `just` lists them.

default:
    @just --list

# Quick checks: format, lints, tests without real servers
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo test --workspace

# What CI runs, with every real peer
ci:
    .ci/run

# Only what needs a Keycloak at URL (start one with .ci/keycloak 8080)
keycloak url="http://127.0.0.1:8080":
    ONEUP_KEYCLOAK_URL={{url}} cargo test keycloak

# Only what needs a keyring, beside a private gnome-keyring
keyring *args="store":
    .ci/with-keyring cargo test {{args}}

# The fault-injection tests at full size, and a table of what was tried and what failed; most need root
fault-injection *args:
    tests/run-fault-injection {{args}}

# Programs by others that check what oneup claims, such as `just judges curl`
judges *args:
    tests/judges/run {{args}}

# Fuzz one parser, such as jwt; needs a nightly toolchain and cargo-fuzz
fuzz target seconds="60":
    cp Cargo.lock fuzz/
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run -s none {{target}} fuzz/corpus/{{target}} tests/corpus/{{target}} -- -max_total_time={{seconds}}

# Regenerate the committed completions
completions:
    ONEUP_REGENERATE=1 cargo test committed_completions

# The table of times, beside the peers that are installed
bench:
    packaging/static
    benches/run

# Instructions, system calls and bytes, against those recorded; `just count --record` records them
count *args:
    packaging/static
    benches/count {{args}}

# A statically linked binary (target/static/…/release/oneup)
static:
    packaging/static

# A Debian package; `sudo packaging/test-deb FILE` installs, uses and removes it. Needs cargo-deb
deb:
    packaging/deb "$(packaging/static)"

# Record the README's demo again; needs asciinema and npm
record:
    cargo build --release
    docs/record
