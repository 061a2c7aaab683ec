//! The libraries whose clients are known, as data.

use super::Kind;

/// How many calls a client serves at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// Calls run side by side: a pool, a keep-alive agent, a pipeline.
    Parallel,
    /// One connection or one transaction: calls queue behind each other.
    Serial,
    /// May be handed a transaction.
    Either,
}

/// Classes and types: module, exported name, kind, nature. A module also
/// stands for its sub-paths (`mysql2/promise`).
pub const CLASSES: &[(&str, &str, Kind, Nature)] = &[
    ("axios", "AxiosInstance", Kind::Axios, Nature::Parallel),
    ("axios", "AxiosStatic", Kind::Axios, Nature::Parallel),
    ("axios", "Axios", Kind::Axios, Nature::Parallel),
    ("@nestjs/axios", "HttpService", Kind::Axios, Nature::Parallel),
    ("got", "Got", Kind::Got, Nature::Parallel),
    ("ky", "KyInstance", Kind::Ky, Nature::Parallel),
    ("undici", "Pool", Kind::Undici, Nature::Parallel),
    ("undici", "Agent", Kind::Undici, Nature::Parallel),
    ("undici", "Client", Kind::Undici, Nature::Serial),
    ("@prisma/client", "PrismaClient", Kind::Prisma, Nature::Parallel),
    ("pg", "Pool", Kind::Pg, Nature::Parallel),
    ("pg-pool", "default", Kind::Pg, Nature::Parallel),
    ("pg", "Client", Kind::Pg, Nature::Serial),
    ("pg", "PoolClient", Kind::Pg, Nature::Serial),
    ("pg", "ClientBase", Kind::Pg, Nature::Serial),
    ("mysql2", "Pool", Kind::Mysql, Nature::Parallel),
    ("mysql2", "Connection", Kind::Mysql, Nature::Serial),
    ("mysql2", "PoolConnection", Kind::Mysql, Nature::Serial),
    ("sequelize", "Sequelize", Kind::Sequelize, Nature::Parallel),
    ("sequelize-typescript", "Sequelize", Kind::Sequelize, Nature::Parallel),
    ("sequelize", "ModelStatic", Kind::Model, Nature::Parallel),
    ("sequelize", "ModelCtor", Kind::Model, Nature::Parallel),
    ("sequelize", "Model", Kind::Model, Nature::Parallel),
    ("drizzle-orm", "NodePgDatabase", Kind::Drizzle, Nature::Either),
    ("drizzle-orm", "PostgresJsDatabase", Kind::Drizzle, Nature::Either),
    ("drizzle-orm", "MySql2Database", Kind::Drizzle, Nature::Either),
    ("drizzle-orm", "NeonHttpDatabase", Kind::Drizzle, Nature::Parallel),
    ("drizzle-orm", "LibSQLDatabase", Kind::Drizzle, Nature::Either),
    ("knex", "Knex", Kind::Knex, Nature::Either),
    ("ioredis", "default", Kind::Redis, Nature::Parallel),
    ("ioredis", "Redis", Kind::Redis, Nature::Parallel),
    ("ioredis", "Cluster", Kind::Redis, Nature::Parallel),
    ("redis", "RedisClientType", Kind::Redis, Nature::Parallel),
    ("@redis/client", "RedisClientType", Kind::Redis, Nature::Parallel),
    ("mongodb", "MongoClient", Kind::Mongo, Nature::Parallel),
    ("mongodb", "Db", Kind::Mongo, Nature::Parallel),
    ("mongodb", "Collection", Kind::Mongo, Nature::Parallel),
    ("mongoose", "Model", Kind::Model, Nature::Parallel),
    ("typeorm", "Repository", Kind::TypeOrm, Nature::Parallel),
    ("typeorm", "TreeRepository", Kind::TypeOrm, Nature::Parallel),
    ("typeorm", "MongoRepository", Kind::TypeOrm, Nature::Parallel),
    ("typeorm", "DataSource", Kind::TypeOrm, Nature::Parallel),
    ("typeorm", "EntityManager", Kind::TypeOrm, Nature::Either),
    ("typeorm", "QueryRunner", Kind::TypeOrm, Nature::Serial),
    ("@aws-sdk/lib-dynamodb", "DynamoDBDocumentClient", Kind::Aws, Nature::Parallel),
    ("@aws-sdk/lib-dynamodb", "DynamoDBDocument", Kind::Aws, Nature::Parallel),
    ("aws-sdk", "S3", Kind::Aws, Nature::Parallel),
    ("aws-sdk", "DynamoDB", Kind::Aws, Nature::Parallel),
    ("aws-sdk", "SecretsManager", Kind::Aws, Nature::Parallel),
    ("aws-sdk", "SSM", Kind::Aws, Nature::Parallel),
    ("aws-sdk", "Lambda", Kind::Aws, Nature::Parallel),
    ("kysely", "Kysely", Kind::Kysely, Nature::Parallel),
    ("kysely", "Transaction", Kind::Kysely, Nature::Serial),
    ("stripe", "default", Kind::Sdk, Nature::Parallel),
    ("stripe", "Stripe", Kind::Sdk, Nature::Parallel),
    ("openai", "default", Kind::Sdk, Nature::Parallel),
    ("openai", "OpenAI", Kind::Sdk, Nature::Parallel),
    ("@anthropic-ai/sdk", "default", Kind::Sdk, Nature::Parallel),
    ("octokit", "Octokit", Kind::Sdk, Nature::Parallel),
    ("@octokit/rest", "Octokit", Kind::Sdk, Nature::Parallel),
    ("@slack/web-api", "WebClient", Kind::Sdk, Nature::Parallel),
    ("@elastic/elasticsearch", "Client", Kind::Sdk, Nature::Parallel),
    ("@opensearch-project/opensearch", "Client", Kind::Sdk, Nature::Parallel),
    ("@qdrant/js-client-rest", "QdrantClient", Kind::Sdk, Nature::Parallel),
    ("meilisearch", "MeiliSearch", Kind::Sdk, Nature::Parallel),
    ("@apollo/datasource-rest", "RESTDataSource", Kind::RestSource, Nature::Parallel),
    ("apollo-datasource-rest", "RESTDataSource", Kind::RestSource, Nature::Parallel),
    ("dataloader", "default", Kind::Loader, Nature::Parallel),
];

/// Values that are clients themselves: module, exported name, kind.
pub const VALUES: &[(&str, &str, Kind)] = &[
    ("axios", "default", Kind::Axios),
    ("axios", "axios", Kind::Axios),
    ("axios", "*", Kind::Axios),
    ("got", "default", Kind::Got),
    ("got", "got", Kind::Got),
    ("ky", "default", Kind::Ky),
    ("node-fetch", "default", Kind::Fetch),
    ("cross-fetch", "default", Kind::Fetch),
    ("cross-fetch", "fetch", Kind::Fetch),
    ("undici", "fetch", Kind::Fetch),
    ("undici", "request", Kind::Undici),
    ("ofetch", "ofetch", Kind::Fetch),
    ("ofetch", "$fetch", Kind::Fetch),
    ("request", "default", Kind::Request),
    ("request-promise", "default", Kind::Request),
    ("request-promise-native", "default", Kind::Request),
    ("superagent", "default", Kind::Superagent),
    ("superagent", "*", Kind::Superagent),
];

/// Calls that make a client: module, exported name, member or empty, kind, nature.
pub const MAKERS: &[(&str, &str, &str, Kind, Nature)] = &[
    ("axios", "default", "create", Kind::Axios, Nature::Parallel),
    ("axios", "axios", "create", Kind::Axios, Nature::Parallel),
    ("axios", "*", "create", Kind::Axios, Nature::Parallel),
    ("got", "default", "extend", Kind::Got, Nature::Parallel),
    ("got", "got", "extend", Kind::Got, Nature::Parallel),
    ("ky", "default", "create", Kind::Ky, Nature::Parallel),
    ("ky", "default", "extend", Kind::Ky, Nature::Parallel),
    ("ofetch", "ofetch", "create", Kind::Fetch, Nature::Parallel),
    ("ofetch", "$fetch", "create", Kind::Fetch, Nature::Parallel),
    ("request-promise", "default", "defaults", Kind::Request, Nature::Parallel),
    ("request-promise-native", "default", "defaults", Kind::Request, Nature::Parallel),
    ("superagent", "default", "agent", Kind::Superagent, Nature::Parallel),
    ("knex", "default", "", Kind::Knex, Nature::Parallel),
    ("knex", "knex", "", Kind::Knex, Nature::Parallel),
    ("knex", "default", "knex", Kind::Knex, Nature::Parallel),
    ("drizzle-orm", "drizzle", "", Kind::Drizzle, Nature::Parallel),
    ("redis", "createClient", "", Kind::Redis, Nature::Parallel),
    ("redis", "default", "createClient", Kind::Redis, Nature::Parallel),
    ("@redis/client", "createClient", "", Kind::Redis, Nature::Parallel),
    ("mysql2", "createPool", "", Kind::Mysql, Nature::Parallel),
    ("mysql2", "default", "createPool", Kind::Mysql, Nature::Parallel),
    ("mysql2", "*", "createPool", Kind::Mysql, Nature::Parallel),
    ("mysql2", "createConnection", "", Kind::Mysql, Nature::Serial),
    ("mysql2", "default", "createConnection", Kind::Mysql, Nature::Serial),
    ("mysql2", "*", "createConnection", Kind::Mysql, Nature::Serial),
    ("mongoose", "model", "", Kind::Model, Nature::Parallel),
    ("mongoose", "default", "model", Kind::Model, Nature::Parallel),
    ("typeorm", "getRepository", "", Kind::TypeOrm, Nature::Parallel),
    ("@aws-sdk/lib-dynamodb", "DynamoDBDocumentClient", "from", Kind::Aws, Nature::Parallel),
    ("@aws-sdk/lib-dynamodb", "DynamoDBDocument", "from", Kind::Aws, Nature::Parallel),
];

/// Methods of a client that give another client: kind, method, nature of the result.
pub const HANDS_ON: &[(Kind, &str, Nature)] = &[
    (Kind::Prisma, "$extends", Nature::Parallel),
    (Kind::Axios, "create", Nature::Parallel),
    (Kind::Got, "extend", Nature::Parallel),
    (Kind::Ky, "extend", Nature::Parallel),
    (Kind::Pg, "connect", Nature::Serial),
    (Kind::Mysql, "getConnection", Nature::Serial),
    (Kind::Mysql, "promise", Nature::Parallel),
    (Kind::TypeOrm, "getRepository", Nature::Parallel),
    (Kind::TypeOrm, "getTreeRepository", Nature::Parallel),
    (Kind::TypeOrm, "createQueryRunner", Nature::Serial),
    (Kind::TypeOrm, "initialize", Nature::Parallel),
    (Kind::Mongo, "db", Nature::Parallel),
    (Kind::Mongo, "collection", Nature::Parallel),
    (Kind::Mongo, "connect", Nature::Parallel),
    (Kind::Sequelize, "define", Nature::Parallel),
    (Kind::Sequelize, "model", Nature::Parallel),
    (Kind::Knex, "withSchema", Nature::Parallel),
];

/// True where `module` is `known` or a sub-path of it.
pub fn is_module(module: &str, known: &str) -> bool {
    let module = super::strip_node(module);
    module == known || module.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
}
