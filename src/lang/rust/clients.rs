//! Where HTTP clients are made, and what becomes of them.

use super::Model;
use super::node::{Function, Kind, NodeId};
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
    /// A call of a function of this file that makes a client for its caller.
    Made,
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
    /// Part of a value that a local which does not leave the function holds.
    Held(NodeId),
    /// Returned, stored, moved or captured.
    Escapes,
}

/// One client per tenant is a need, not an oversight.
pub const PER_TENANT: &[&str] = &[
    "proxy",
    "identity",
    "add_root_certificate",
    "tls_certs_merge",
    "resolve",
    "redirect",
    "cookie_store",
    "cookie_provider",
    "local_address",
    "default_headers",
    "resolve_to_addrs",
    "dns_resolver",
    "use_preconfigured_tls",
    "tls_config",
];

/// How many functions of a file a builder is followed through.
const HELPERS: usize = 4;

fn is_plain_constructor(leaf: &str) -> bool {
    matches!(leaf, "new" | "default" | "new_with_defaults")
}

/// The library of a path that gives a client's builder.
fn builder_of(path: &[String]) -> Option<Library> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    Some(match path.as_slice() {
        ["reqwest", "Client", "builder"] | ["reqwest", "ClientBuilder", "new" | "default"] => Library::Reqwest,
        ["reqwest", "blocking", "Client", "builder"] | ["reqwest", "blocking", "ClientBuilder", "new" | "default"] => {
            Library::ReqwestBlocking
        }
        ["ureq", "AgentBuilder", "new"] | ["ureq", "builder"] | ["ureq", "Agent", "config_builder"] => Library::Ureq,
        ["awc", "Client", "builder"] | ["awc", "ClientBuilder", "new"] => Library::Awc,
        ["hyper_util", "client", "legacy", "Client", "builder"] | ["hyper", "Client", "builder"] => Library::Hyper,
        ["tonic", "transport", "Channel", "from_shared" | "from_static" | "builder"]
        | ["tonic", "transport", "Endpoint", "from_shared" | "from_static" | "new" | "try_from"] => Library::Tonic,
        _ => return None,
    })
}

/// True for the methods of a builder that make the client.
fn makes_client(library: Library, method: &str) -> bool {
    match library {
        Library::Tonic => matches!(method, "connect" | "connect_lazy"),
        _ => matches!(method, "build" | "build_http" | "finish" | "new_agent"),
    }
}

impl Model<'_> {
    /// Every place that makes an HTTP client, in source order.
    pub fn constructors(&self) -> Vec<Constructor<'_>> {
        self.tree.all().filter_map(|id| self.constructor(id)).collect()
    }

    fn constructor(&self, call: NodeId) -> Option<Constructor<'_>> {
        let path = match self.tree.kind(call) {
            // `LazyLock::new(Client::new)` names the constructor.
            Kind::Path(path) if path.last().is_some_and(|leaf| is_plain_constructor(leaf)) => {
                let is_argument = match self.tree.kind(self.tree.node(call).parent) {
                    Kind::Call { args, .. } | Kind::Method { args, .. } => args.contains(&call),
                    _ => false,
                };
                if !is_argument {
                    return None;
                }
                self.resolved(call)?
            }
            Kind::Call { .. } => match self.builder_made(call, HELPERS) {
                Some((library, settings)) => return self.builder(call, library, settings),
                None => match self.client_made(call) {
                    Some(made) => return Some(made),
                    None => self.callee(call)?,
                },
            },
            Kind::Method { .. } => return self.client_made(call),
            _ => return None,
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let one = |library, form| Some(Constructor { node: call, head: call, library, form, settings: Vec::new() });
        match path.as_slice() {
            ["reqwest", "Client", "new" | "default"] => one(Library::Reqwest, Form::New),
            ["reqwest", "get"] => one(Library::Reqwest, Form::OneShot),
            ["reqwest", "blocking", "Client", "new" | "default"] => one(Library::ReqwestBlocking, Form::New),
            ["reqwest", "blocking", "get"] => one(Library::ReqwestBlocking, Form::OneShot),
            ["ureq", "get" | "post" | "put" | "delete" | "patch" | "head" | "request" | "run"] => {
                one(Library::Ureq, Form::OneShot)
            }
            ["ureq", "agent"] | ["ureq", "Agent", "new" | "new_with_defaults"] => one(Library::Ureq, Form::New),
            ["awc", "Client", "new" | "default"] => one(Library::Awc, Form::New),
            ["hyper", "Client", "new"] => one(Library::Hyper, Form::New),
            _ => None,
        }
    }

    /// The library whose builder a call gives, and what a function of this
    /// file that gives it has set: `Client::builder()`, `bounded(limit)`.
    fn builder_made(&self, call: NodeId, depth: usize) -> Option<(Library, Vec<(NodeId, &str)>)> {
        let depth = depth.checked_sub(1)?;
        let Kind::Call { callee, .. } = self.tree.kind(call) else { return None };
        if let Some(library) = self.resolved(*callee).and_then(|path| builder_of(&path)) {
            return Some((library, Vec::new()));
        }
        let function = self.called_here(call).filter(|function| !function.is_async)?;
        let Kind::Statement { value, dropped: false } = self.tree.kind(self.tree.children(function.body?).last()?)
        else {
            return None;
        };
        let (library, mut settings) = self.builder_made(self.chain_root(*value), depth)?;
        let set = self.chain(*value).into_iter().rev();
        settings.extend(set.filter(|(_, name)| !makes_client(library, name)));
        // A client that is made is no builder.
        (!self.chain(*value).iter().any(|(_, name)| makes_client(library, name))).then_some((library, settings))
    }

    /// A call of a private function of this file whose value is a new client.
    fn client_made(&self, call: NodeId) -> Option<Constructor<'_>> {
        let function = self.called_here(call).filter(|function| !function.is_async)?;
        let made = self.made_by(function, Some(call))?;
        Some(Constructor { node: call, form: Form::Made, ..made })
    }

    /// The library of the client that a function which waits for nothing makes
    /// for whoever calls it.
    pub fn makes_client(&self, function: &Function) -> Option<Library> {
        (!function.is_async).then(|| self.made_by(function, None)).flatten().map(|made| made.library)
    }

    /// The library of the client that a type's constructor makes for the value
    /// that it gives, and whether it is the same one whatever the constructor is
    /// handed: `PricesClient::new(config)`.
    pub fn holds_new_client(&self, function: &Function) -> Option<(Library, bool)> {
        let owner = self.owner_name(function).filter(|_| !function.is_async && function.receiver.is_none())?;
        let is_own = |leaf: &str| leaf == "Self" || leaf == owner;
        let output = function.output.as_ref()?;
        if !is_own(output.leaf()) && !output.args.first().is_some_and(|given| is_own(given.leaf())) {
            return None;
        }
        let made: Vec<_> = self.tree.below(function.body?).filter_map(|id| self.constructor(id)).collect();
        let [made] = made.as_slice() else { return None };
        // What a connector of hyper's holds is not seen; what holds cookies is
        // one user's.
        let cookies = made.settings.iter().any(|(_, name)| name.starts_with("cookie"));
        let same = made.library != Library::Hyper && !cookies && self.varying_setting(made, PER_TENANT).is_none();
        // A channel goes to the address that it is made with.
        (made.form != Form::OneShot && made.library != Library::Tonic).then_some((made.library, same))
    }

    /// Where a function makes the client that is its value; `call` is the one
    /// that is being asked about, if any.
    fn made_by(&self, function: &Function, call: Option<NodeId>) -> Option<Constructor<'_>> {
        let output = function.output.as_ref()?;
        // `HttpsClient` may be an alias.
        if !output.mentions("Agent") && !output.mentions_end("Client") {
            return None;
        }
        let body = function.body?;
        let Kind::Statement { value, dropped: false } = self.tree.kind(self.tree.children(body).last()?) else {
            return None;
        };
        // Itself, or what `Ok(…)`, `?` and the like make of it; its builder may
        // have been held by a local.
        let all = self.tree.below(body).filter(|&id| Some(id) != call).filter_map(|id| self.constructor(id));
        let made = all.into_iter().find(|made| made.node == *value || self.tree.is_within(made.node, *value))?;
        let outer = self.unwrapped(made.node);
        let parent = self.tree.node(outer).parent;
        let wraps =
            matches!(self.tree.kind(parent), Kind::Call { callee, .. } if self.leaf_name(*callee) == Some("Ok"));
        let given = outer == *value || wraps && parent == *value;
        (given && made.form != Form::OneShot).then_some(made)
    }

    /// A builder's chain up to the method that makes the client, through the
    /// local that holds the builder meanwhile.
    fn builder<'m>(
        &'m self,
        head: NodeId,
        library: Library,
        mut settings: Vec<(NodeId, &'m str)>,
    ) -> Option<Constructor<'m>> {
        let end = match self.settings_from(head, library, &mut settings) {
            Ok(made) => made,
            Err(end) => {
                let (binding, pattern) = self.bound_by(end)?;
                let mut made = None;
                for used in self.uses_of(binding, pattern.name()?) {
                    let parent = self.tree.node(used).parent;
                    match self.tree.kind(parent) {
                        Kind::Method { receiver, .. } if *receiver == used => {
                            made = self.settings_from(used, library, &mut settings).ok().or(made);
                        }
                        Kind::Assign { target, .. } if *target == used => {}
                        // Whoever takes the builder may set anything.
                        _ => return None,
                    }
                }
                made?
            }
        };
        Some(Constructor { node: end, head, library, form: Form::Builder, settings })
    }

    /// The call that makes the client at the end of the chain that begins with
    /// `head`, or the chain's last node where nothing does; what it sets on the
    /// way is added to `settings`.
    fn settings_from<'m>(
        &'m self,
        head: NodeId,
        library: Library,
        settings: &mut Vec<(NodeId, &'m str)>,
    ) -> Result<NodeId, NodeId> {
        let mut at = head;
        loop {
            let parent = self.tree.node(at).parent;
            match self.tree.kind(parent) {
                Kind::Method { receiver, name, .. } if *receiver == at => {
                    if makes_client(library, name) {
                        return Ok(parent);
                    }
                    settings.push((parent, name.as_str()));
                    at = parent;
                }
                Kind::Try(value) if *value == at => at = parent,
                _ => return Err(at),
            }
        }
    }

    /// True for a method that sets something on a client's builder.
    pub fn sets_builder(&self, method: NodeId) -> bool {
        // What is built is no builder any more.
        let built = |end: NodeId| self.chain(end).iter().any(|(_, name)| *name == "build");
        let root = self.chain_root(method);
        let held = match self.tree.kind(root) {
            Kind::Path(path) if path.len() == 1 => {
                self.init_of(root).filter(|&made| !built(made)).map(|made| self.chain_root(made))
            }
            _ if built(method) => None,
            _ => Some(root),
        };
        held.is_some_and(|made| self.builder_made(made, HELPERS).is_some())
    }

    /// What becomes of a client.
    pub fn use_of(&self, constructor: &Constructor<'_>) -> Use {
        if constructor.form == Form::OneShot {
            return Use::Chain;
        }
        let mut outer = self.unwrapped(constructor.node);
        // `match builder.build() { Ok(client) => client, Err(_) => return }`.
        let around = self.tree.node(outer).parent;
        if matches!(self.tree.kind(around), Kind::Match { on } if *on == outer) {
            outer = around;
        }
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
            // `let api = Api { http: Client::new(), key }`, which goes no further.
            Kind::Struct { path, .. } if path.last().is_none_or(|leaf| leaf != "Self") => {
                match self.bound_by(parent).map(|(binding, pattern)| (binding, pattern.name())) {
                    Some((binding, Some(name))) if self.fate(binding, name) == Fate::Stays => Use::Held(binding),
                    _ => Use::Escapes,
                }
            }
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
        // `shared().get(…)`: what a function of this file hands out.
        let handed_out = || {
            let output = self.called_here(node)?.output.clone()?;
            let typed = self.peel(super::values::Typed { ty: output, at: node });
            let path = self.resolve(typed.at, &typed.ty.path)?;
            Some(CLIENTS.iter().any(|client| super::path::equals(&path, client)))
        };
        by_type || handed_out() == Some(true) || self.constructor(node).is_some_and(|c| c.library == Library::Reqwest)
    }
}
