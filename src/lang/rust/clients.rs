//! Where HTTP clients are made, and what becomes of them.

use super::Model;
use super::node::{Kind, NodeId};
use super::values::Fate;

/// The library of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Library {
    /// `reqwest`.
    Reqwest,
    /// `reqwest::blocking`.
    ReqwestBlocking,
    /// `ureq`.
    Ureq,
    /// `awc`.
    Awc,
    /// `hyper` 0.14 and `hyper-util`.
    Hyper,
    /// `tonic`'s channels.
    Tonic,
}

impl Library {
    /// The name that messages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reqwest => "reqwest",
            Self::ReqwestBlocking => "reqwest::blocking",
            Self::Ureq => "ureq",
            Self::Awc => "awc",
            Self::Hyper => "hyper",
            Self::Tonic => "tonic",
        }
    }

    /// True where its calls block the thread.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::ReqwestBlocking | Self::Ureq)
    }
}

/// How a client comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `Client::new()`.
    New,
    /// `Client::builder()….build()`.
    Builder,
    /// `reqwest::get(url)`: makes a client, uses it and drops it.
    OneShot,
}

/// One place that makes a client.
#[derive(Clone, Debug)]
pub struct Constructor<'m> {
    /// `Client::new()`, the builder's chain with `.build()`, or the call
    /// `reqwest::get(url)`.
    pub node: NodeId,
    /// The innermost call: `Client::builder()` of a builder's chain.
    pub head: NodeId,
    /// The library.
    pub library: Library,
    /// The form.
    pub form: Form,
    /// The builder's methods in order, without `build`.
    pub settings: Vec<(NodeId, &'m str)>,
}

/// What becomes of a new client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// A request is made on it at once: `Client::new().get(url)`.
    Chain,
    /// Lent in place: `fetch(&Client::new())`.
    Lent,
    /// Bound to a local that does not leave the function.
    Local(NodeId),
    /// Returned, stored, moved or captured.
    Escapes,
}

impl Model<'_> {
    /// Every place that makes an HTTP client, in source order.
    pub fn constructors(&self) -> Vec<Constructor<'_>> {
        self.tree.all().filter_map(|id| self.constructor(id)).collect()
    }

    fn constructor(&self, call: NodeId) -> Option<Constructor<'_>> {
        let path = match self.tree.kind(call) {
            // `LazyLock::new(Client::new)` names the constructor.
            Kind::Path(path) if path.last().is_some_and(|leaf| leaf == "new") => {
                let path = self.resolved(call)?;
                let is_argument = match self.tree.kind(self.tree.node(call).parent) {
                    Kind::Call { args, .. } | Kind::Method { args, .. } => args.contains(&call),
                    _ => false,
                };
                if !is_argument {
                    return None;
                }
                path
            }
            _ => self.callee(call)?,
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let one = |library, form| Some(Constructor { node: call, head: call, library, form, settings: Vec::new() });
        let built = |library| self.builder(call, library);
        match path.as_slice() {
            ["reqwest", "Client", "new" | "default"] => one(Library::Reqwest, Form::New),
            ["reqwest", "Client", "builder"] | ["reqwest", "ClientBuilder", "new" | "default"] => {
                built(Library::Reqwest)
            }
            ["reqwest", "get"] => one(Library::Reqwest, Form::OneShot),
            ["reqwest", "blocking", "Client", "new" | "default"] => one(Library::ReqwestBlocking, Form::New),
            ["reqwest", "blocking", "Client", "builder"]
            | ["reqwest", "blocking", "ClientBuilder", "new" | "default"] => built(Library::ReqwestBlocking),
            ["reqwest", "blocking", "get"] => one(Library::ReqwestBlocking, Form::OneShot),
            ["ureq", "get" | "post" | "put" | "delete" | "patch" | "head" | "request" | "run"] => {
                one(Library::Ureq, Form::OneShot)
            }
            ["ureq", "agent"] | ["ureq", "Agent", "new" | "new_with_defaults"] => one(Library::Ureq, Form::New),
            ["ureq", "AgentBuilder", "new"] | ["ureq", "builder"] | ["ureq", "Agent", "config_builder"] => {
                built(Library::Ureq)
            }
            ["awc", "Client", "new" | "default"] => one(Library::Awc, Form::New),
            ["awc", "Client", "builder"] | ["awc", "ClientBuilder", "new"] => built(Library::Awc),
            ["hyper", "Client", "new"] => one(Library::Hyper, Form::New),
            ["hyper_util", "client", "legacy", "Client", "builder"] | ["hyper", "Client", "builder"] => {
                built(Library::Hyper)
            }
            ["tonic", "transport", "Channel", "from_shared" | "from_static" | "builder"]
            | ["tonic", "transport", "Endpoint", "from_shared" | "from_static" | "new"] => built(Library::Tonic),
            _ => None,
        }
    }

    /// A builder's chain up to the method that makes the client.
    fn builder(&self, head: NodeId, library: Library) -> Option<Constructor<'_>> {
        let mut settings = Vec::new();
        let mut at = head;
        loop {
            let parent = self.tree.node(at).parent;
            match self.tree.kind(parent) {
                Kind::Method { receiver, name, .. } if *receiver == at => {
                    let ends = match library {
                        Library::Tonic => matches!(name.as_str(), "connect" | "connect_lazy"),
                        _ => matches!(name.as_str(), "build" | "build_http" | "finish" | "new_agent"),
                    };
                    if ends {
                        return Some(Constructor { node: parent, head, library, form: Form::Builder, settings });
                    }
                    settings.push((parent, name.as_str()));
                    at = parent;
                }
                Kind::Try(value) if *value == at && library == Library::Tonic => at = parent,
                _ => return None,
            }
        }
    }

    /// What becomes of a client.
    pub fn use_of(&self, constructor: &Constructor<'_>) -> Use {
        if constructor.form == Form::OneShot {
            return Use::Chain;
        }
        let outer = self.unwrapped(constructor.node);
        let parent = self.tree.node(outer).parent;
        match self.tree.kind(parent) {
            Kind::Method { receiver, name, .. } if *receiver == outer => match name.as_str() {
                "clone" | "into" | "boxed" => Use::Escapes,
                _ => Use::Chain,
            },
            Kind::Reference { value, .. } if *value == outer => {
                let taker = self.tree.node(parent).parent;
                match self.tree.kind(taker) {
                    Kind::Call { .. } | Kind::Method { .. } => Use::Lent,
                    _ => Use::Escapes,
                }
            }
            Kind::Let { pattern, init: Some(init), .. } if *init == outer => match pattern.name() {
                Some(name) if self.fate(parent, name) == Fate::Stays => Use::Local(parent),
                _ => Use::Escapes,
            },
            _ => Use::Escapes,
        }
    }

    /// True where a builder's settings are the same at each call: literals and
    /// constants, no caller's data.
    pub fn is_fixed(&self, constructor: &Constructor<'_>) -> bool {
        let mut settings = constructor.settings.iter();
        settings.all(|(method, _)| match self.tree.kind(*method) {
            Kind::Method { args, .. } => args.iter().all(|&argument| self.is_constant(argument)),
            _ => false,
        })
    }

    /// The first setting of a list that depends on the call, by name.
    pub fn varying_setting<'m>(&self, constructor: &Constructor<'m>, among: &[&str]) -> Option<&'m str> {
        let mut settings = constructor.settings.iter().filter(|(_, name)| among.contains(name));
        settings.find_map(|(method, name)| match self.tree.kind(*method) {
            Kind::Method { args, .. } => (!args.iter().all(|&a| self.is_constant(a))).then_some(*name),
            _ => None,
        })
    }

    /// True where an expression's type is written as an HTTP client's, or its
    /// chain begins with a new one.
    pub fn is_http_client(&self, node: NodeId) -> bool {
        const CLIENTS: &[&str] = &[
            "reqwest::Client",
            "reqwest_middleware::ClientWithMiddleware",
            "awc::Client",
            "hyper_util::client::legacy::Client",
        ];
        let by_type = self.type_path(node).is_some_and(|path| CLIENTS.iter().any(|c| super::path::equals(&path, c)));
        by_type || self.constructor(node).is_some_and(|c| c.library == Library::Reqwest)
    }
}
