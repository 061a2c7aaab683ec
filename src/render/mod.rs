//! Reports for people and programs. A renderer sees nothing but the report.

pub mod json;
pub mod terminal;
