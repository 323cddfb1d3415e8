//! OAuth 2.0 as values: no file, socket, environment, clock or terminal in here.

pub mod grant;
pub mod product;
pub mod secret;
pub mod token;
