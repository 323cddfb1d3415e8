//! Text for terminals.

pub mod closest_match;
