//! What a client is: its library, and whether it is one serial resource.

use super::Nature;
use crate::observe::Io;

/// The library or shape of a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// axios and its instances.
    Axios,
    /// got.
    Got,
    /// ky.
    Ky,
    /// undici's `request`, pools and clients.
    Undici,
    /// request and its promised forms.
    Request,
    /// superagent.
    Superagent,
    /// The global `fetch` and its packages.
    Fetch,
    /// Something that is called like an HTTP client.
    HttpByName,
    /// Prisma.
    Prisma,
    /// pg.
    Pg,
    /// mysql2.
    Mysql,
    /// Sequelize itself.
    Sequelize,
    /// A Sequelize or mongoose model.
    Model,
    /// Drizzle.
    Drizzle,
    /// Knex.
    Knex,
    /// ioredis and redis.
    Redis,
    /// The MongoDB driver.
    Mongo,
    /// TypeORM's repositories, data sources and managers.
    TypeOrm,
    /// Something that is called a repository.
    Repository,
    /// Something of another file that is given an SQL text.
    Sql,
    /// AWS SDK.
    Aws,
    /// Kysely.
    Kysely,
    /// The client of a service's own SDK: Stripe, OpenAI, a search engine.
    Sdk,
    /// Apollo's source of data behind a REST API, by its own class.
    RestSource,
    /// A loader that gathers what is asked of it in one turn.
    Loader,
}

impl Kind {
    /// What its calls wait for.
    pub const fn io(self) -> Io {
        match self {
            Self::Axios
            | Self::Got
            | Self::Ky
            | Self::Undici
            | Self::Request
            | Self::Superagent
            | Self::Fetch
            | Self::HttpByName
            | Self::Aws
            | Self::RestSource
            | Self::Sdk => Io::Http,
            _ => Io::Database,
        }
    }

    /// True where a call is a chain that shapes a query.
    pub const fn is_query_builder(self) -> bool {
        matches!(self, Self::Drizzle | Self::Knex | Self::Kysely)
    }

    /// The name that reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axios => "axios",
            Self::Got => "got",
            Self::Ky => "ky",
            Self::Undici => "undici",
            Self::Request => "request",
            Self::Superagent => "superagent",
            Self::Fetch => "fetch",
            Self::HttpByName => "HTTP",
            Self::Prisma => "Prisma",
            Self::Pg => "pg",
            Self::Mysql => "mysql2",
            Self::Sequelize => "Sequelize",
            Self::Model => "database model",
            Self::Drizzle => "Drizzle",
            Self::Knex => "Knex",
            Self::Redis => "Redis",
            Self::Mongo => "MongoDB",
            Self::TypeOrm => "TypeORM",
            Self::Repository => "repository",
            Self::Sql => "database",
            Self::Aws => "AWS SDK",
            Self::Kysely => "Kysely",
            Self::Sdk => "service",
            Self::RestSource => "REST data source",
            Self::Loader => "data loader",
        }
    }
}

/// A receiver that reaches another process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// Library or shape.
    pub kind: Kind,
    /// How many calls it serves at a time.
    pub nature: Nature,
    /// True where only its name says what it is.
    pub by_name: bool,
}

impl Client {
    pub(super) const fn new(kind: Kind, nature: Nature) -> Self {
        Self { kind, nature, by_name: false }
    }

    pub(super) const fn named(kind: Kind, nature: Nature) -> Self {
        Self { kind, nature, by_name: true }
    }
}
