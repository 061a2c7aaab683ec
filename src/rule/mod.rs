//! Rules: what is looked for, as data.

pub mod common;
pub mod condition;
pub mod docs;
pub mod fixture;
pub mod folder;
pub mod load;
pub mod model;
pub mod template;

pub use load::{RuleError, RuleSet};
pub use model::{Detection, Rule};
