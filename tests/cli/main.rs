//! End to end: the real binary, as a person, a script or a CI job meets it.

mod ci;
mod curl;
mod doctor;
mod exec;
mod faults;
mod generated;
mod hostile;
mod inspect;
mod inspect_json;
mod keycloak;
mod keycloak_keys;
mod keycloak_patient;
mod keyring;
mod login;
mod packages;
mod patient;
mod realm;
mod recipes;
mod sandbox;
mod sandbox_realm;
mod secrets;
mod shells;
mod show;
mod support;
mod surface;
mod terminal;
