//! Functions and calls as other files need to know them.

use super::{Context, NameRef};
use crate::source::Span;

/// What a call or function does to the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// Touches nothing outside.
    None,
    /// Only reads.
    Read,
    /// Writes, or may.
    Write,
    /// Not known; counts as a write for patches.
    Unknown,
}

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Io {
    /// Nothing that is known.
    None,
    /// It waits, for what only names tell.
    Unseen,
    /// A file.
    File,
    /// A database or cache server.
    Database,
    /// Another service.
    Http,
}

/// A function as callers in other files need to know it.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionSummary {
    /// Declared `async`, so that it cannot throw before its promise is there.
    pub is_async: bool,
    /// It may wait for something: it awaits, or hands on what a call gives.
    pub waits: bool,
    /// The effects of its body as far as this file shows them.
    pub effect: Effect,
    /// What it waits for.
    pub io: Io,
    /// Functions of other files that its effect depends on.
    pub calls: Vec<NameRef>,
    /// Opens or is handed a transaction or another serial resource.
    pub uses_transaction: bool,
    /// What its queries run on is handed in, and may be one connection; or what
    /// its requests ask for is.
    pub handed: bool,
    /// Its branches leave a way through it on which it waits for nothing.
    pub passes: bool,
    /// The name in its declaration.
    pub span: Span,
    /// It returns only when something slow is done.
    pub blocks: Option<Blocks>,
}

/// What a function that is not async waits for while it runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Blocks {
    /// What is called in the end (`std::fs::read`).
    pub call: String,
    /// What it waits for, as the variants of `blocking-in-async` name it.
    pub kind: &'static str,
    /// It goes through a whole folder.
    pub whole_tree: bool,
    /// It reads or writes a whole file that names call large.
    pub large: bool,
    /// Where.
    pub span: Span,
    /// False where it stands in a branch.
    pub always: bool,
}

/// A plain call in async code of a function that may block.
#[derive(Clone, PartialEq, Debug)]
pub struct AsyncCall {
    /// The function, of this file or another.
    pub name: NameRef,
    /// The call.
    pub span: Span,
    /// Enclosing symbol.
    pub symbol: String,
    /// Where it runs.
    pub context: Context,
    /// The name of the async function around it.
    pub around: Span,
    /// Where it is handed a file: whether names call that large, or small.
    pub large: Option<bool>,
}

/// What is to be known of what a function gives, besides its effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gift {
    /// It waits for a timer that nobody can end.
    Timer,
    /// It is the function's input in base64, and nothing else.
    Base64,
    /// It is the function's input in hexadecimal digits, and nothing else.
    Hex,
    /// Of a type that is handed an HTTP client: it bounds its requests.
    Bounded,
    /// The same: a request of it brings no timeout.
    Unbounded,
}

/// Where a call leads.
#[derive(Clone, PartialEq, Debug)]
pub enum Callee {
    /// To the function of this file whose name stands there.
    Here(Span),
    /// To a function of another file.
    There(NameRef),
}

/// What makes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// A request handler.
    Handler,
    /// The function of this file whose name stands there.
    Function(Span),
    /// Anything else.
    Elsewhere,
}

/// A call of a Rust function of the project.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedCall {
    /// What is called.
    pub name: NameRef,
    /// The function around the call, and where its name stands.
    pub around: (String, Span),
    /// Where the call runs.
    pub context: Context,
    /// In no loop, closure or task of its function.
    pub once: bool,
}

/// A call of a function of the project.
#[derive(Clone, PartialEq, Debug)]
pub struct ProjectCall {
    /// What makes it.
    pub caller: Caller,
    /// What is called.
    pub callee: Callee,
    /// The called expression.
    pub span: Span,
    /// What is handed over.
    pub given: Given,
    /// The class or file around it whose name alone says that it is a service.
    pub service: Option<String>,
    /// The called function runs once, by its name: a handler that loads the
    /// whole program passes its calls on to no request.
    pub starts: bool,
}

/// Which of a call's first arguments may bound how long it takes, the first
/// argument's bit the lowest.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Given(u8);

impl Given {
    /// How many arguments are told apart; later ones may always hold a bound.
    const ARGUMENTS: usize = 8;

    /// Notes an argument that holds a bound, or may.
    pub fn note(&mut self, index: usize) {
        if index < Self::ARGUMENTS {
            self.0 |= 1 << index;
        }
    }

    /// True where the argument may hold a bound.
    pub fn may_bound(self, index: usize) -> bool {
        index >= Self::ARGUMENTS || self.0 >> index & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_apart_as_far_as_they_are_noted() {
        let mut given = Given::default();
        given.note(2);
        given.note(9);
        assert_eq!([0, 1, 2, 3, 7].map(|index| given.may_bound(index)), [false, false, true, false, false]);
        assert!(given.may_bound(8), "what is not told apart may hold one");
    }
}
