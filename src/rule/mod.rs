//! Rules: what is looked for, as data.

pub mod condition;
pub mod load;
pub mod model;
pub mod template;

pub use load::{RuleError, RuleSet};
pub use model::{Detection, Rule};
