//! OAuth 2.0 as values: no file, socket, environment, clock or terminal in here.

pub mod access;
mod authorization_response;
pub mod authorize;
pub mod client_key;
pub mod discovery;
pub mod endpoint_url;
pub mod grant;
pub mod jwks;
pub mod jwt;
pub mod loopback;
mod members;
mod pasted;
pub mod product;
pub mod scope;
pub mod secret;
pub mod token;
pub mod token_response;
