//! End to end: the real binary, as a person, a script or a CI job meets it.

mod generated;
mod keycloak;
mod support;
mod surface;
