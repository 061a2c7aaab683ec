//! Analyses of Rust.

pub mod await_in_loop;
pub mod blocking;
pub mod client_per_call;
pub mod client_timeout;
pub mod fake_compression;
mod grpc_timeout;
pub mod sequential_awaits;

use crate::analyze::{Analysis, Sink};
use crate::lang::rust::Model;
use crate::lang::rust::node::NodeId;
use crate::observe::{Confidence, IfNo, Need, Question};

/// An analysis over the model of one Rust file.
pub type Run = for<'m, 'a, 's> fn(&'m Model<'a>, &mut Sink<'s>);

/// Every analysis of this family.
pub const ALL: &[Analysis<Run>] = &[
    Analysis { name: "await-in-loop", vocabulary: await_in_loop::VOCABULARY, run: await_in_loop::run },
    Analysis { name: "blocking-in-async", vocabulary: blocking::VOCABULARY, run: blocking::run },
    Analysis { name: "client-per-call", vocabulary: client_per_call::VOCABULARY, run: client_per_call::run },
    Analysis { name: "client-timeout", vocabulary: client_timeout::VOCABULARY, run: client_timeout::run },
    Analysis { name: "fake-compression", vocabulary: fake_compression::VOCABULARY, run: fake_compression::run },
    Analysis { name: "sequential-awaits", vocabulary: sequential_awaits::VOCABULARY, run: sequential_awaits::run },
];

/// The analysis of a name.
pub fn find(name: &str) -> Option<&'static Analysis<Run>> {
    ALL.iter().find(|analysis| analysis.name == name)
}

/// Clears what a function of its own name does once, where only the start of a
/// process calls the function. A method may be called on anything.
fn not_only_at_start(model: &Model<'_>, node: NodeId) -> Option<Need> {
    let function = model.function_of(node).filter(|function| function.owner.is_none() && model.runs_once(node))?;
    let question = Question::NotOnlyAtStart(function.name_span);
    Some(Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear })
}
