//! End-to-end tests: they run the real binary as a user, a script or a CI job does.
//!
//! | feature | file |
//! |---|---|
//! | help, usage errors, `--version` | `usage_and_help` |
//! | completions and manual pages, as committed | `completions_and_man` |
//! | completions in real shells (bash, zsh, fish, elvish) | `shells` |
//! | prompts and colors on a real terminal | `terminal` |
//! | Ctrl-Z, background jobs and Ctrl-D, in real shells | `job_control` |
//! | closed, full and broken streams | `streams` |
//! | `login provider`, `login p2p`: sources of the secret, endpoints, what is stored | `login` |
//! | `--auth-method private_key_jwt`, `key` | `private_key_jwt` |
//! | `login patient`: browser, callback, pasted codes, refresh tokens | `patient/` |
//! | `token show` in each format, concurrent refreshes | `show` |
//! | which token is valid: `expires_in`, `exp`, clocks | `token_lifetime` |
//! | `status`, `logout` | `status_and_logout` |
//! | `token inspect` as text and as JSON, `token revoke` | `inspect`, `inspect_json` |
//! | `token inspect --verify` and `--introspect` | `realm` |
//! | `curl`: requests, redirects, exit codes | `curl` |
//! | `curl`: which hosts get the token, under attack | `curl_host_policy/` |
//! | `exec`, `--token-file`, signals | `exec` |
//! | `export`: options and files, faults, the rules of HL7's Bulk Data guide | `export`, `export_faults`, `export_rules` |
//! | `proxy`: requests, rewriting, attacks, load, commands | `proxy/` |
//! | `doctor` | `doctor` |
//! | `sandbox` | `sandbox`, `sandbox_export`, `sandbox_jwt`, `sandbox_realm` |
//! | token endpoint: responses, retries, deadlines, TLS, proxies, discovery documents | `token_endpoint/` |
//! | stores: gnome-keyring; the others are unit tests of `src/store` | `keyring` |
//! | `--store vault`: a real OpenBao | `vault/` |
//! | a real Keycloak | `keycloak`, `keycloak_jwt`, `keycloak_keys`, `keycloak_patient` |
//! | secrets stay out of argument lists, traces, memory, child processes | `secret_hygiene`, `memory` |
//! | nothing is lost: kill, full disk, failing calls, clock jumps, concurrent commands | `fault_injection/` |
//! | many processes, long-running jobs | `stress` |
//! | documented commands: CI jobs, shells, other programs | `ci`, `recipes` |
//! | scopes per call, tenants, default profile, refresh expiry | `scopes_and_tenants` |
//! | module levels of `docs/architecture.md` | `architecture` |
//! | release archives and packages; manifests for fleets | `packages`, `deployment` |
//! | signatures of Wycheproof, with `tests/judges/run` | `wycheproof` |
//! | fixtures: `Home`, `TokenEndpoint`, `RawServer`, `Sandbox`, `FaultReport` | `support/` |

mod architecture;
mod ci;
mod completions_and_man;
mod curl;
mod curl_host_policy;
mod deployment;
mod doctor;
mod exec;
mod export;
mod export_faults;
mod export_rules;
mod fault_injection;
mod inspect;
mod inspect_json;
mod job_control;
mod keycloak;
mod keycloak_jwt;
mod keycloak_keys;
mod keycloak_patient;
mod keyring;
mod login;
mod memory;
mod packages;
mod patient;
mod private_key_jwt;
mod proxy;
mod realm;
mod recipes;
mod sandbox;
mod sandbox_export;
mod sandbox_jwt;
mod sandbox_realm;
mod scopes_and_tenants;
mod secret_hygiene;
mod shells;
mod show;
mod status_and_logout;
mod streams;
mod stress;
mod support;
mod terminal;
mod token_endpoint;
mod token_lifetime;
mod usage_and_help;
mod vault;
mod wycheproof;
