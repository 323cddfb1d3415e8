//! curl's command line, understood before curl sees it: which arguments are URLs, which of them may get the token,
//! and which options would carry it elsewhere.
//!
//! Nothing here opens a file or starts a program. What is understood is written out again in one canonical form
//! ([`write`](self::write)), and only that reaches curl: the two can't read the same argument differently.

pub mod arguments;
pub mod config;
pub mod hosts;
pub mod options;
pub mod policy;
#[cfg(test)]
mod tests;
pub mod url;
pub mod write;
