//! Finds the performance bottlenecks of TypeScript/JavaScript and Rust services
//! in their code and configuration.
//!
//! The pipeline, one way with one bounded loop (`scan.rs` is this in code):
//!
//! 1. [`walk`] lists the files, honouring ignore files;
//! 2. [`tree`] reads them, the only reader of the scanned repository;
//! 3. `prefilter` passes over files that hold no literal any [`rule`] looks for;
//! 4. [`lang`] parses the rest into typed trees with resolved names, or
//!    [`pattern`] stands in where there is none;
//! 5. [`analyze`] maps each file to candidates and observations ([`observe`]);
//! 6. files that answer a candidate's need are mapped in further rounds;
//! 7. [`join`] closes needs over all files and decides severity and silence;
//! 8. [`report`] ranks what is left; [`render`] shows it.

#![forbid(unsafe_code)]

pub mod analyze;
pub mod cli;
pub mod command;
pub mod config;
pub mod depth;
pub mod facts;
pub mod finding;
pub mod identity;
pub mod join;
pub mod lang;
pub mod lex;
pub mod map;
pub mod observe;
pub mod patch;
pub mod pattern;
pub mod prefilter;
pub mod render;
pub mod report;
pub mod rule;
pub mod scan;
pub mod score;
pub mod source;
pub mod suppress;
pub mod tree;
pub mod walk;
pub mod why;
