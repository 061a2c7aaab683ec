//! What one file cannot answer, and what becomes of a candidate without an
//! answer.

use super::{Confidence, Gift, NameRef};
use crate::source::Span;

/// A question that one file cannot answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    /// Is the function a read that waits for the network, a database or a file?
    ReadsIo(NameRef),
    /// The same of a function that is handed no connection: does it bring its
    /// own, so that two calls can be under way at once?
    ReadsOnItsOwn(NameRef),
    /// Is the function a read that waits for another service?
    ReadsService(NameRef),
    /// Does the function do nothing worse than read, whatever it waits for?
    OnlyReads(NameRef),
    /// Is the value an HTTP client of a package whose clients serve several
    /// calls at a time?
    IsHttpClient(NameRef),
    /// Does the function make a new HTTP client each time it is called?
    MakesClient(NameRef),
    /// Is this so of what the function gives?
    Gives(NameRef, Gift),
    /// Does the function give a promise whatever happens, so that it cannot
    /// throw before it has?
    GivesPromise(NameRef),
    /// Does the package's lowest Node major version lie below `major`?
    NodeBelow {
        /// First major version that is not concerned.
        major: u32,
    },
    /// Is the version of the dependency `package` below `major.minor`?
    DependencyBelow {
        /// Package or crate name.
        package: String,
        /// Major and minor of the first version that is not concerned.
        version: (u32, u32),
    },
    /// Is the version of the dependency `package` `major.minor` or above?
    DependencyAtLeast {
        /// Package or crate name.
        package: String,
        /// Major and minor of the first version that will do.
        version: (u32, u32),
    },
    /// Does the crate allow Rust 1.`minor` (`rust-version`, the edition's
    /// least, a toolchain file)? Unknown where none of these is written.
    RustAtLeast {
        /// The minor version of Rust 1 that is needed.
        minor: u32,
    },
    /// Is the file part of a package that runs on a server and holds nothing
    /// for a browser?
    OnServer,
    /// Is the file part of a package that does more than to install a command?
    NotCommandLine,
    /// Is the file part of a package that is no tool for whoever starts it, and
    /// that installs this library for more than its development?
    NotInTool(&'static str),
    /// Does no file of the package set this for all requests?
    NoneSets(Setting),
    /// Does no timeout layer of its crate bound the handlers of the file?
    NoTimeoutLayer,
    /// Is the file part of a service, as opposed to a library or a
    /// command-line program?
    InService,
    /// Is the file part of a package without a `bin`, so that code named like
    /// a service is called per request?
    NotInCommandLineProgram,
    /// Does a request handler of another file call the function of this file
    /// whose name stands at the place?
    CalledFromHandler(Span),
    /// The same, or does what is named a service call it?
    CalledPerRequest(Span),
    /// Is the function of this file whose name stands at the place called from
    /// elsewhere than from what runs once, at the start?
    NotOnlyAtStart(Span),
    /// Do the calls of the function whose name stands at the place, all in
    /// other files, hand over options without a bound?
    CallersLeaveUnbounded {
        /// The function's name.
        name: String,
        /// Where it is declared.
        function: Span,
        /// Which argument the options are.
        index: usize,
    },
    /// Does the crate enable `feature` of `package` (or depend on it, where
    /// `feature` is empty)?
    Feature {
        /// Crate name.
        package: String,
        /// Feature name.
        feature: String,
    },
}

/// What a program may set for all of its HTTP requests at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// The agent that requests use which are given none.
    Agent,
    /// axios' timeout.
    AxiosTimeout,
    /// The timeout of the client that NestJS hands in.
    NestTimeout,
    /// A module takes that client as it comes, whatever another module sets.
    NestPlain,
    /// What carries the requests of `fetch` and undici, with its own limits.
    Dispatcher,
}

/// An open question with what becomes of the candidate without an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Need {
    /// What must hold.
    pub question: Question,
    /// The place that raised it.
    pub span: Option<Span>,
    /// The highest confidence while the answer is unknown; `None` clears the
    /// candidate then.
    pub if_unknown: Option<Confidence>,
    /// What a "no" does.
    pub if_no: IfNo,
}

/// What the answer "no" to a need does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfNo {
    /// Clears the candidate.
    Clear,
    /// Keeps it without its patch.
    DropPatch,
    /// Keeps it, and clears the assumption "called per request".
    LeaveRequestPath,
}
