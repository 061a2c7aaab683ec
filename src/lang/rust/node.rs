//! The tree that analyses walk: owned, in preorder, with byte spans.
//!
//! syn's own tree has no parents and borrows for every question; this one is
//! lowered from it once. Ids are in preorder, so that the nodes below `n` are
//! exactly `n + 1 .. end(n)`.

use crate::source::Span;

/// A node of one file's tree, by preorder index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The file itself.
    pub const ROOT: Self = Self(0);

    /// The index into the arena.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node above; the root is its own parent.
    pub parent: NodeId,
    /// One past the last node below this one.
    pub end: NodeId,
    /// The bytes, without surrounding parentheses.
    pub span: Span,
    /// The bytes with surrounding parentheses.
    pub outer: Span,
    /// What it is.
    pub kind: Kind,
    /// True inside a macro's arguments.
    pub quoted: bool,
}

/// A name that a pattern binds.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Bound as `mut`.
    pub mutable: bool,
}

/// A pattern by what it binds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Pattern {
    /// The names, in order.
    pub bound: Vec<Bound>,
    /// True for a plain `x` or `mut x`.
    pub plain: bool,
    /// True for `_`.
    pub wild: bool,
    /// The path of a tuple struct or struct pattern (`State(app)`).
    pub path: Vec<String>,
    /// All of it.
    pub span: Span,
}

impl Pattern {
    /// The single name of a plain pattern.
    pub fn name(&self) -> Option<&str> {
        if self.plain { self.bound.first().map(|b| b.name.as_str()) } else { None }
    }

    /// True where the pattern binds `name`.
    pub fn binds(&self, name: &str) -> bool {
        self.bound.iter().any(|b| b.name == name)
    }
}

/// A type as far as rules ask: head, arguments, and how it is held.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Ty {
    /// Head path as written; `(tuple)`, `[slice]` for those, empty where it is
    /// something else.
    pub path: Vec<String>,
    /// Type arguments, or the members of a tuple or slice.
    pub args: Vec<Ty>,
    /// `Some(true)` for `&mut T`, `Some(false)` for `&T`.
    pub reference: Option<bool>,
    /// `dyn` or `impl`.
    pub dynamic: bool,
}

impl Ty {
    /// The last segment of the head.
    pub fn leaf(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// True where the name of any head in the type, arguments included, ends so.
    pub fn mentions_end(&self, end: &str) -> bool {
        self.leaf().ends_with(end) || self.args.iter().any(|a| a.mentions_end(end))
    }

    /// True where any head in the type, arguments included, is `name`.
    pub fn mentions(&self, name: &str) -> bool {
        self.path.iter().any(|segment| segment == name) || self.args.iter().any(|a| a.mentions(name))
    }
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Lit {
    /// A text, unescaped.
    Text(String),
    /// An integer or float.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// Anything else.
    Other,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The whole file.
    File,
    /// `mod name { … }`.
    Module(String),
    /// `impl … { … }`, by index.
    Impl(usize),
    /// `trait Name { … }`.
    Trait(String),
    /// A function with its body, by index.
    Function(usize),
    /// A `static` or `const`: its value is made once.
    Once {
        /// Its name.
        name: String,
        /// Its type.
        ty: Ty,
    },
    /// Another item; nothing below it.
    Item,
    /// A block's statements.
    Block,
    /// `let pattern: ty = init else { … };`
    Let {
        /// What is bound.
        pattern: Pattern,
        /// The written type.
        ty: Option<Ty>,
        /// The value.
        init: Option<NodeId>,
        /// The `else` block.
        otherwise: Option<NodeId>,
    },
    /// An expression as a statement.
    Statement {
        /// The expression.
        value: NodeId,
        /// True with `;`: its value is dropped.
        dropped: bool,
    },
    /// `a` or `a::b`.
    Path(Vec<String>),
    /// A literal.
    Literal(Lit),
    /// `callee(args)`.
    Call {
        /// What is called.
        callee: NodeId,
        /// The arguments.
        args: Vec<NodeId>,
    },
    /// `receiver.name(args)`.
    Method {
        /// What it is called on.
        receiver: NodeId,
        /// The method.
        name: String,
        /// Where the method's name stands.
        name_span: Span,
        /// The arguments.
        args: Vec<NodeId>,
    },
    /// `value.await`.
    Await(NodeId),
    /// `value?`.
    Try(NodeId),
    /// `base.name`.
    Field {
        /// Left of the dot.
        base: NodeId,
        /// Right of the dot; digits for tuples.
        name: String,
    },
    /// `path!(…)`.
    Macro {
        /// The macro's path.
        path: Vec<String>,
        /// Its arguments where they parse as expressions or statements.
        args: Vec<NodeId>,
        /// Every identifier in its tokens where they did not parse, and the
        /// inline format arguments.
        names: Vec<String>,
        /// True where `args` holds all of it.
        parsed: bool,
    },
    /// `|params| body`.
    Closure {
        /// `async |…|`.
        is_async: bool,
        /// The parameters.
        params: Vec<Pattern>,
        /// The body.
        body: NodeId,
    },
    /// `async { … }`, and the body of `stream!`.
    Async,
    /// `loop { … }`.
    Loop,
    /// `while cond { … }`.
    While {
        /// The condition.
        cond: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `for pattern in over { … }`.
    For {
        /// The loop variable.
        pattern: Pattern,
        /// What is walked.
        over: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `if cond { … } else …`.
    If {
        /// The condition.
        cond: NodeId,
        /// The first branch.
        then: NodeId,
        /// The other one.
        otherwise: Option<NodeId>,
    },
    /// `match on { … }`.
    Match {
        /// What is matched.
        on: NodeId,
    },
    /// One arm of a `match` or `select!`.
    Arm {
        /// The pattern.
        pattern: Pattern,
    },
    /// `let pattern = value` as a condition.
    LetCondition {
        /// What is bound.
        pattern: Pattern,
        /// The value.
        value: NodeId,
    },
    /// `target = value`, also `+=` and its like.
    Assign {
        /// The left side.
        target: NodeId,
        /// The right side.
        value: NodeId,
    },
    /// `return value`.
    Return,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `yield`.
    Yield,
    /// `&value` or `&mut value`.
    Reference {
        /// `&mut`.
        mutable: bool,
        /// What is borrowed.
        value: NodeId,
    },
    /// `*value`, `!value`, `-value`.
    Unary(NodeId),
    /// `Path { field: value, .. }`.
    Struct {
        /// The type's path.
        path: Vec<String>,
        /// Fields by name.
        fields: Vec<(String, NodeId)>,
    },
    /// A tuple or array.
    List(Vec<NodeId>),
    /// `a..b`.
    Range,
    /// Anything else; the nodes below it are its parts.
    Other,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attr {
    /// Its path (`tokio::test` has two segments).
    pub path: Vec<String>,
    /// Its whole text, brackets included.
    pub text: String,
}

impl Attr {
    /// The last segment of its path.
    pub fn leaf(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// How a method takes `self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// `&self`.
    Shared,
    /// `&mut self`.
    Exclusive,
    /// `self`, or a typed one.
    Owned,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// What it binds.
    pub pattern: Pattern,
    /// Its type.
    pub ty: Ty,
}

/// A function with its signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub name_span: Span,
    /// Declared `async`.
    pub is_async: bool,
    /// Has type parameters.
    pub is_generic: bool,
    /// `const fn`.
    pub is_const: bool,
    /// Parameters without `self`.
    pub params: Vec<Param>,
    /// How it takes `self`.
    pub receiver: Option<Receiver>,
    /// The type it returns.
    pub output: Option<Ty>,
    /// The `impl` it belongs to.
    pub owner: Option<usize>,
    /// Its body.
    pub body: Option<NodeId>,
}

/// An `impl` block's head.
#[derive(Clone, Debug)]
pub struct Impl {
    /// The type that it is for.
    pub self_ty: Ty,
    /// The trait's path.
    pub trait_path: Option<Vec<String>>,
}

/// What a module or block brings into scope.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Names by what they stand for.
    pub uses: std::collections::BTreeMap<String, Vec<String>>,
    /// Paths imported with `*`.
    pub globs: Vec<Vec<String>>,
    /// Items defined here.
    pub items: std::collections::BTreeSet<String>,
    /// Where a new item can be put.
    pub insert_at: Option<InsertAt>,
}

/// Where a new item of a module can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertAt {
    /// After the `use` that ends at this byte.
    AfterUse(u32),
    /// Before the item that starts at this byte.
    Before(u32),
}

/// The whole tree with its side tables.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Nodes in preorder.
    pub nodes: Vec<Node>,
    /// Functions in source order.
    pub functions: Vec<Function>,
    /// `impl` blocks in source order.
    pub impls: Vec<Impl>,
    /// Scopes by the file, module or block they belong to.
    pub scopes: std::collections::HashMap<NodeId, Scope>,
    /// Attributes by node.
    pub attrs: std::collections::HashMap<NodeId, Vec<Attr>>,
    /// Fields of structs by the struct's name.
    pub structs: std::collections::BTreeMap<String, std::collections::BTreeMap<String, Ty>>,
    /// Attributes of the file, its own `#![…]`.
    pub file_attrs: Vec<Attr>,
    /// Derives of structs and enums by name (`Parser`).
    pub derives: Vec<String>,
}

impl Tree {
    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A node's kind.
    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.nodes[id.index()].kind
    }

    /// A node's bytes.
    pub fn span(&self, id: NodeId) -> Span {
        self.nodes[id.index()].span
    }

    /// The nodes above, the nearest first, the file last.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = id;
        std::iter::from_fn(move || {
            if at == NodeId::ROOT {
                return None;
            }
            at = self.node(at).parent;
            Some(at)
        })
    }

    /// The node and everything below it, in source order.
    pub fn below(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        (id.0..self.node(id).end.0).map(NodeId)
    }

    /// The nodes directly below.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(id).end;
        let mut at = NodeId(id.0 + 1);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = at;
            at = self.node(child).end;
            Some(child)
        })
    }

    /// True where `inner` is `outer` or below it.
    pub fn is_within(&self, inner: NodeId, outer: NodeId) -> bool {
        outer <= inner && inner < self.node(outer).end
    }

    /// Every node in source order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}
