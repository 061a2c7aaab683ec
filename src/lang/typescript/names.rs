//! What a callee's name alone says. Word lists, not whole names: `findManyUsers`
//! begins with `find`. A word of the write list anywhere wins, since a read
//! that also writes is a write.

mod lists;

use self::lists::{AMBIGUOUS, CARRIERS, COMPUTED, MAKES_VALUE, MAKING, READ, SERIAL, TRAPS, WRITE};
use crate::observe::Effect;

pub use self::lists::{COLLECTING, LARGE_FILES, SMALL_FILES};

/// Splits `camelCase`, `PascalCase`, `snake_case` and digits into lower-case words.
pub fn words(name: &str) -> Vec<String> {
    pieces(name).map(str::to_lowercase).collect()
}

/// The words of a name as they are written.
pub fn pieces(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut chars = rest.char_indices().peekable();
        let mut last = chars.next()?.1;
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            let next_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            if !c.is_alphanumeric() || c.is_uppercase() && (!last.is_uppercase() || next_lower) {
                end = at;
                break;
            }
            last = c;
        }
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// True where a word of a name is one of a list of lower-case ASCII words.
pub fn has_word(name: &str, list: &[&str]) -> bool {
    pieces(name).any(|word| is_among(word, list))
}

/// True where a word is one of a list of lower-case ASCII words.
fn is_among(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// True for `getRolesFromFile`, `loadFromCache`, `getLocaleFromRequest`: what
/// answers is no other process.
fn is_from_here(words: &[&str]) -> bool {
    const HERE: &[&str] = &[
        "file", "files", "disk", "fs", "cache", "memory", "env", "config", "state", "request", "req", "cookie",
        "cookies", "headers", "params",
    ];
    words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case("from") && is_among(pair[1], HERE))
}

/// The effect that a callee's leaf name suggests.
pub fn effect_of(name: &str) -> Effect {
    let words: Vec<&str> = pieces(name).collect();
    effect_of_words(name, &words)
}

/// The same, of the words that a name is made of.
fn effect_of_words(name: &str, words: &[&str]) -> Effect {
    let Some(first) = words.first() else { return Effect::Unknown };
    if is_from_here(words) {
        return Effect::Unknown;
    }
    if is_looked_up(words) {
        return Effect::Read;
    }
    let computed = are_computed(words);
    if words.iter().any(|word| is_among(word, WRITE) && !(computed && is_among(word, MAKING))) {
        return Effect::Write;
    }
    if computed || is_among(first, READ) || is_getter_phrase(name) { Effect::Read } else { Effect::Unknown }
}

/// `claimById`, `postBySlug`: a thing by what it is known by, where the first
/// word may also be a verb.
fn is_looked_up(words: &[&str]) -> bool {
    const THINGS: &[&str] = &["claim", "post", "log", "build", "check", "reserve"];
    matches!(words, [thing, by, _, ..] if is_among(thing, THINGS) && by.eq_ignore_ascii_case("by"))
        && !words[1..].iter().any(|word| is_among(word, WRITE))
}

/// The effect that the name of a function suggests whose own file can be
/// asked: `trackParcel`, `openInvoices` and `runReport` may be anything.
pub fn effect_of_asked(name: &str) -> Effect {
    let words: Vec<&str> = pieces(name).collect();
    let plain = || words.iter().all(|word| !is_among(word, WRITE) || is_among(word, AMBIGUOUS));
    match effect_of_words(name, &words) {
        Effect::Write if plain() => Effect::Unknown,
        known => known,
    }
}

/// True for a name of something that is computed on request and kept nowhere,
/// whatever verb asks for it: `create_embedding`, `generateCompletion`.
pub fn is_computed(name: &str) -> bool {
    are_computed(&pieces(name).collect::<Vec<_>>())
}

fn are_computed(words: &[&str]) -> bool {
    words.iter().any(|word| is_among(word, COMPUTED))
        && !words.iter().any(|word| is_among(word, WRITE) && !is_among(word, MAKING))
}

/// True where the last segment of an address says that what is posted there is
/// a question: `/points/search`, `/v1/embeddings`.
pub fn is_question(url: &str) -> bool {
    const QUESTIONS: &[&str] = &[
        "search",
        "query",
        "count",
        "scroll",
        "recommend",
        "msearch",
        "lookup",
        "aggregate",
        "quote",
        "quotes",
        "estimate",
        "estimates",
        "calculate",
        "calculation",
        "calculations",
        "predict",
        "classify",
        "translate",
        "similarity",
        "score",
        "availability",
    ];
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let last = path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or("");
    effect_of(last) != Effect::Write && pieces(last).any(|word| is_among(word, QUESTIONS) || is_among(word, COMPUTED))
}

/// True for a name that asks whether something is so: `isReady`, `hasAccess`,
/// `splitEnabled`.
pub fn is_predicate(name: &str) -> bool {
    let asks = pieces(name).next().is_some_and(|first| is_among(first, &["is", "has", "can", "should", "are"]));
    let tells =
        pieces(name).last().is_some_and(|last| is_among(last, &["enabled", "disabled", "allowed", "supported"]));
    (asks || tells) && pieces(name).nth(1).is_some()
}

/// True for a name as constants and variables of the environment have it:
/// `POOL_SIZE`.
pub fn is_constant(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// True for a name that says what it gives rather than what it does:
/// `lengthOfQueue`, `currentConcurrencyOfTask`, `totalCount`.
pub fn is_getter_phrase(name: &str) -> bool {
    const ADJECTIVES: &[&str] = &["current", "total", "latest", "last", "first", "number", "size", "length"];
    let mut words = pieces(name);
    let Some(first) = words.next() else { return false };
    let of = words.any(|word| word == "Of" || word == "of");
    (of || is_among(first, ADJECTIVES) && pieces(name).nth(1).is_some())
        && !pieces(name).any(|word| is_among(word, WRITE))
}

/// True where a name says that a value is made of what is given: `formatDate`,
/// `to_lowercase`, `monthRange`, `Money`.
pub fn makes_value(name: &str) -> bool {
    let Some(first) = pieces(name).next() else { return false };
    let says = name.starts_with(char::is_uppercase)
        || is_among(first, MAKES_VALUE)
        || effect_of(name) == Effect::Read
        || is_getter_phrase(name);
    says && !pieces(name).any(|word| is_among(word, WRITE) && !is_among(word, MAKING))
}

/// True where a read-like name is one of the traps. A total is as often added
/// up as asked for.
pub fn is_trap(name: &str) -> bool {
    let words: Vec<&str> = pieces(name).collect();
    let after = words.get(1..).unwrap_or_default();
    let sum = after.last().is_some_and(|word| is_among(word, &["total", "totals", "subtotal"]));
    sum || is_from_here(&words) || after.iter().any(|word| is_among(word, TRAPS))
}

/// True where a name is that of a transaction or another serial carrier.
pub fn is_carrier(name: &str) -> bool {
    is_among(name.trim_start_matches(['_', '#', '$']), CARRIERS)
}

/// True where a receiver of this name is one serial thing.
pub fn is_serial(name: &str) -> bool {
    pieces(name).last().is_some_and(|word| is_among(word, SERIAL))
}

/// True where a type's name is that of a transaction, session or query runner.
pub fn is_transaction_type(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["transaction", "queryrunner", "entitymanager", "clientsession", "poolclient", "poolconnection"]
        .iter()
        .any(|t| lower.contains(t))
}

/// True where a call of this name guards what follows: an earlier one must
/// have passed before a later one may start.
pub fn is_guard(name: &str) -> bool {
    const GUARDS: &[&str] = &[
        "require",
        "assert",
        "ensure",
        "validate",
        "verify",
        "authorize",
        "authenticate",
        "authorise",
        "guard",
        "can",
        "must",
        "permission",
        "permissions",
        "allowed",
        "enforce",
        "ratelimit",
    ];
    // `creditLimit` is a value; `rateLimit` and `limit(ip)` let through or not.
    let words: Vec<&str> = pieces(name).collect();
    let limits = words.iter().position(|word| word.eq_ignore_ascii_case("limit"));
    let limits = limits.is_some_and(|at| at == 0 || is_among(words[at - 1], &["rate", "request", "requests", "quota"]));
    // `checkAccess` lets through or not; a `priceCheck` is asked for.
    let let_through: &[&str] = &["access", "auth", "owner", "ownership", "quota", "policy", "role", "scope"];
    let checks = words.iter().position(|word| word.eq_ignore_ascii_case("check"));
    let checks = checks.is_some_and(|at| at == 0 || is_among(words[at - 1], let_through));
    limits || checks || words.iter().any(|word| is_among(word, GUARDS))
}

/// True for a call that tells who asks by what the request brings along:
/// `get_user_from_headers`, `userByToken`, `currentUser`. It lets through or
/// not, and what follows is for those that it lets through.
pub fn is_authentication(name: &str) -> bool {
    const WHO: &[&str] =
        &["user", "account", "identity", "claims", "principal", "viewer", "member", "actor", "caller", "auth"];
    const BROUGHT: &[&str] =
        &["headers", "header", "request", "req", "token", "cookie", "cookies", "jwt", "bearer", "credentials"];
    let words: Vec<&str> = pieces(name).collect();
    let who = words.iter().any(|word| is_among(word, WHO));
    let from = words.windows(2).any(|pair| is_among(pair[0], &["from", "by"]) && is_among(pair[1], BROUGHT));
    let current = words.windows(2).any(|pair| is_among(pair[0], &["current", "authed"]) && is_among(pair[1], WHO));
    who && from || current || words.iter().any(|word| is_among(word, &["authenticated", "authenticate"]))
}

/// True where a call of this name is about time.
pub fn is_timing(name: &str) -> bool {
    const TIMING: &[&str] = &[
        "sleep",
        "delay",
        "wait",
        "timeout",
        "immediate",
        "tick",
        "poll",
        "retry",
        "throttle",
        "debounce",
        "backoff",
        "pause",
    ];
    pieces(name).any(|word| is_among(word, TIMING))
}

/// True for names of functions that load or set up a program.
pub fn is_start(name: &str) -> bool {
    const STARTS: &[&str] = &[
        "init",
        "initialize",
        "initialise",
        "start",
        "startup",
        "boot",
        "bootstrap",
        "setup",
        "configure",
        "install",
        "register",
        "launch",
        "activate",
        "migrate",
    ];
    let mut words = pieces(name);
    let first = words.next().unwrap_or("");
    let alone = words.next().is_none();
    STARTS.iter().any(|word| word.eq_ignore_ascii_case(first)) || alone && first.eq_ignore_ascii_case("load")
}

/// True where a receiver of this name only writes a log.
pub fn is_logger(name: &str) -> bool {
    pieces(name).last().is_some_and(|word| is_among(word, &["console", "logger", "log", "debug"]))
}

/// True for functions that keep for the whole process what the last argument, a
/// function, gives: `singleton('db', connect)`, `remember('db', connect)`.
pub fn keeps_once(name: &str) -> bool {
    matches!(name, "singleton" | "remember")
}

/// True where a method of this name, on a receiver of that one, only counts or
/// measures (OpenTelemetry, prom-client, statsd).
pub fn is_meter(receiver: &str, method: &str) -> bool {
    const METERS: &[&str] = &["counter", "counters", "histogram", "gauge", "metric", "metrics", "meter", "statsd"];
    const MEASURED: &[&str] = &["total", "seconds", "duration", "latency", "hits", "misses", "failures"];
    let last = || pieces(receiver).last().unwrap_or("");
    match method {
        "inc" | "dec" | "observe" | "startTimer" => is_among(last(), METERS) || is_among(last(), MEASURED),
        "add" | "record" | "increment" | "decrement" | "timing" | "count" | "distribution" | "histogram" | "gauge" => {
            is_among(last(), METERS)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_words() {
        assert_eq!(words("findManyUsers"), ["find", "many", "users"]);
        assert_eq!(words("getHTTPClient_v2"), ["get", "http", "client", "v2"]);
        assert_eq!(words("$queryRaw"), ["query", "raw"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn names_suggest_effects() {
        assert_eq!(effect_of("findUnique"), Effect::Read);
        assert_eq!(effect_of("getOrCreate"), Effect::Write);
        assert_eq!(effect_of("frobnicate"), Effect::Unknown);
        assert_eq!(effect_of("create_embedding"), Effect::Read);
        assert_eq!(effect_of("create_and_save_embeddings"), Effect::Write);
        assert_eq!(effect_of("saveEmbedding"), Effect::Write);
        assert!(is_question("{base}/collections/docs/points/search?x=/create"));
        assert!(is_question("https://api.example/v1/embeddings"));
        assert!(!is_question("https://api.example/v1/orders"));
        assert!(!is_question("/embeddings/delete"));
        assert!(is_trap("getSession"));
        assert!(!is_trap("getUser"));
        assert!(is_trap("getTaxTotal") && !is_trap("totalCount") && !is_trap("getTotalUsers"));
        assert!(is_guard("assertPermission"));
        assert!(is_guard("checkAccess") && is_guard("accessCheck") && !is_guard("priceCheck"));
        assert!(is_guard("limit") && is_guard("checkRateLimit") && !is_guard("creditLimit"));
        assert!(is_authentication("get_user_from_headers") && is_authentication("currentUser"));
        assert!(!is_authentication("getUserById") && !is_authentication("tokensByUser"));
        assert_eq!(effect_of("claimById"), Effect::Read);
        assert_eq!(effect_of("claimByUpdate"), Effect::Write);
        assert_eq!(effect_of_asked("openInvoices"), Effect::Unknown);
        assert_eq!(effect_of_asked("trackAndSave"), Effect::Write);
        assert_eq!(effect_of_asked("getOrCreate"), Effect::Write);
        assert!(is_carrier("sharedContext"));
        assert_eq!(effect_of("currentConcurrencyOfQueue"), Effect::Read);
        assert_eq!(effect_of("lengthOfEnvQueue"), Effect::Read);
        assert_eq!(effect_of("resetCountOf"), Effect::Write);
        assert_eq!(effect_of("current"), Effect::Unknown);
    }
}
