//! The database libraries whose pools are known, and where their options
//! stand. Defaults and names as the libraries' own code has them: pg 8,
//! postgres 3, mysql2 3, sequelize 6, typeorm 0.3 and 1, knex 3, mongodb 6 and 7,
//! generic-pool 3.

use oxc_ast::AstKind;
use oxc_ast::ast::Argument;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::Model;
use crate::lang::typescript::path::strip_node;

/// A library with a pool.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// Name in messages.
    pub name: &'static str,
    /// The kind of server, where the library or its options say.
    pub server: Option<&'static str>,
    /// The options' member that holds the pool's numbers.
    pub within: Option<&'static str>,
    /// Names of the largest number of connections.
    pub max: &'static [&'static str],
    /// Names of the smallest.
    pub min: &'static [&'static str],
    /// Names of the longest wait for a connection.
    pub acquire: &'static [&'static str],
    /// Making one opens connections of its own.
    pub pools: bool,
    /// The library is imported here, and not only guessed by shape.
    pub shown: bool,
}

const ALL: &[Library] = &[
    Library {
        name: "pg",
        server: Some("postgres"),
        within: None,
        max: &["max"],
        min: &["min"],
        acquire: &["connectionTimeoutMillis"],
        pools: true,
        shown: true,
    },
    Library {
        name: "postgres",
        server: Some("postgres"),
        within: None,
        max: &["max"],
        min: &[],
        acquire: &[],
        // Opened as it is asked for; a worker at the edge makes one per request.
        pools: false,
        shown: true,
    },
    Library {
        name: "mysql2",
        server: Some("mysql"),
        within: None,
        max: &["connectionLimit"],
        min: &[],
        acquire: &[],
        pools: true,
        shown: true,
    },
    Library {
        name: "sequelize",
        server: None,
        within: Some("pool"),
        max: &["max"],
        min: &["min"],
        acquire: &["acquire"],
        pools: true,
        shown: true,
    },
    Library {
        name: "typeorm",
        server: None,
        within: Some("extra"),
        max: &["max", "connectionLimit", "poolSize"],
        min: &["min"],
        acquire: &["connectionTimeoutMillis"],
        pools: true,
        shown: true,
    },
    Library {
        name: "knex",
        server: None,
        within: Some("pool"),
        max: &["max"],
        min: &["min"],
        acquire: &["acquireTimeoutMillis", "acquireConnectionTimeout"],
        pools: true,
        shown: true,
    },
    Library {
        name: "mongodb",
        server: Some("mongodb"),
        within: None,
        max: &["maxPoolSize"],
        min: &["minPoolSize"],
        acquire: &["waitQueueTimeoutMS"],
        pools: true,
        shown: true,
    },
    Library {
        name: "mssql",
        server: Some("mssql"),
        within: Some("pool"),
        max: &["max"],
        min: &["min"],
        acquire: &["acquireTimeoutMillis"],
        pools: true,
        shown: true,
    },
    Library {
        name: "generic-pool",
        server: None,
        within: None,
        max: &["max"],
        min: &["min"],
        acquire: &["acquireTimeoutMillis"],
        pools: false,
        shown: true,
    },
    Library {
        name: "@prisma/client",
        server: None,
        within: None,
        max: &[],
        min: &[],
        acquire: &[],
        pools: true,
        shown: true,
    },
];

/// The library of a name.
pub fn by_name(name: &str) -> Option<Library> {
    ALL.iter().find(|library| library.name == name).copied()
}

/// The kind of server that a dialect, client or type names.
pub fn server_of(dialect: &str) -> Option<&'static str> {
    Some(match dialect {
        "postgres" | "postgresql" | "pg" | "pg-native" | "cockroachdb" | "aurora-postgres" => "postgres",
        "mysql" | "mysql2" | "mariadb" | "aurora-mysql" => "mysql",
        "mssql" | "sqlserver" | "tedious" => "mssql",
        "sqlite" | "sqlite3" | "better-sqlite3" => "sqlite",
        "oracle" | "oracledb" => "oracle",
        "mongodb" => "mongodb",
        _ => return None,
    })
}

/// The library that a `new` or a call makes a pool of, with its arguments.
pub fn library_of<'a>(model: &Model<'a>, node: NodeId) -> Option<(Library, &'a [Argument<'a>])> {
    let (callee, arguments, is_new) = match model.kind(node) {
        AstKind::NewExpression(new) => (&new.callee, new.arguments.as_slice(), true),
        AstKind::CallExpression(call) => (&call.callee, call.arguments.as_slice(), false),
        _ => return None,
    };
    let path = model.path_of(callee);
    let imported = model.imported(&path)?;
    let mut names: Vec<&str> = path.members.clone();
    match imported.name {
        "default" | "*" => names.retain(|name| *name != "default"),
        name => names.insert(0, name),
    }
    let name = match (strip_node(imported.module), names.as_slice(), is_new) {
        ("pg", ["Pool"], true) | ("pg-pool", [], true) => "pg",
        ("postgres", [], false) => "postgres",
        ("mysql2" | "mysql2/promise" | "mysql", ["createPool"], false) => "mysql2",
        ("sequelize" | "sequelize-typescript", ["Sequelize"] | [], true) => "sequelize",
        ("typeorm", ["DataSource"], true) | ("typeorm", ["createConnection"], false) => "typeorm",
        ("knex", ["knex"] | [], false) => "knex",
        ("mongodb", ["MongoClient"], true) | ("mongoose", ["connect" | "createConnection"], false) => "mongodb",
        ("mssql", ["ConnectionPool"], true) | ("mssql", ["connect"], false) => "mssql",
        ("generic-pool", ["createPool"], false) => "generic-pool",
        (module, ["PrismaClient"], true) if module.ends_with("prisma/client") || module.contains("prisma") => {
            "@prisma/client"
        }
        _ => return None,
    };
    let library = by_name(name)?;
    Some((Library { server: library.server.or_else(|| shown_server(model, arguments)), ..library }, arguments))
}

fn shown_server<'a>(model: &Model<'a>, arguments: &'a [Argument<'a>]) -> Option<&'static str> {
    use crate::observe::{Known, Value};
    let objects = arguments.iter().filter_map(Argument::as_expression).filter_map(|a| model.object(a));
    let mut kinds = objects.flat_map(|object| ["dialect", "client", "type"].map(|name| model.property(object, name)));
    kinds.find_map(|property| match model.value(property.found()?) {
        Known::Here(Value::Text(text), _) => server_of(&text),
        _ => None,
    })
}
