//! Typed trees behind one set of words: scopes, bindings, constant values,
//! functions with their context, and effects of calls.

pub mod asked;
pub mod rust;
pub mod typescript;
pub mod ways;
