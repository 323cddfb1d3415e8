//! curl's command line, parsed before curl sees it: which arguments are URLs, whether all of them may get the token,
//! and which options would send it elsewhere.
//!
//! Nothing here opens a file or starts a program. The parsed command line is written out again in one canonical form
//! ([`command_line`]), and only that reaches curl: the two can't read the same argument differently.

pub mod arguments;
pub mod command_line;
pub mod hosts;
mod limits;
pub mod options;
pub mod policy;
#[cfg(test)]
mod tests;
pub mod url;
