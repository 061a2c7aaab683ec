//! Requests through typed clients: AWS SDKs, generated gRPC clients, search
//! engines and vector databases.

use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::typescript::names;
use crate::observe::{Effect, Io};

/// Crates whose clients are shared by cloning and send each request by itself.
const CLIENTS: &[&str] =
    &["qdrant_client", "opensearch", "elasticsearch", "meilisearch_sdk", "async_openai", "object_store", "kube"];

/// Reads of the AWS SDK that nothing else begins so and ends with `send`.
const AWS_READS: &[&str] = &[
    "get_object",
    "head_object",
    "list_objects_v2",
    "get_item",
    "batch_get_item",
    "get_secret_value",
    "get_parameter",
    "get_queue_attributes",
];

impl Model<'_> {
    /// `self.s3.get_object().bucket(b).send()`, `self.stock.clone().level(request)`.
    pub(super) fn service(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { name: last, .. } = self.tree.kind(value) else { return None };
        let (base, verb) = self.client_call(value)?;
        let Some(path) = self.type_path(base) else {
            // `app.dynamo.get_item().table_name(t).send()`: the type of `app`
            // stands in another file.
            let names_action = verb != last && names::pieces(verb).nth(1).is_some() && last == "send";
            let client = self.value_elsewhere(base).filter(|client| names_action && !client.members.is_empty());
            let told = client.is_some() || last == "send" && AWS_READS.contains(&verb);
            let operation = Operation::new(Io::Http, question_of(verb), Resource::SharedByName);
            return told.then_some(Operation { client, ..operation });
        };
        let (leaf, module) = path.split_last()?;
        let first = module.first()?;
        let aws = first.starts_with("aws_sdk_") && last == "send";
        let known = CLIENTS.contains(&first.as_str());
        let generated = leaf.ends_with("Client")
            && module.iter().any(|segment| segment.ends_with("_client"))
            && (self.is_on_channel(base) || module.iter().any(|segment| is_generated_module(segment)));
        if !aws && !known && !generated {
            return None;
        }
        let effect = match question_of(verb) {
            // `plan` in `get_plan`.
            Effect::Unknown => match self.function_of(value) {
                Some(around) if names::effect_of(&around.name) == Effect::Read => Effect::Read,
                _ => Effect::Unknown,
            },
            known => known,
        };
        // A local `let mut client` takes one call at a time.
        let one = generated && matches!(self.tree.kind(base), Kind::Path(_)) && verb == last;
        let resource = if one { Resource::Taken } else { Resource::Shared };
        Some(Operation::new(Io::Http, effect, resource))
    }

    /// True where the written type says that a client runs on a channel of tonic.
    fn is_on_channel(&self, client: NodeId) -> bool {
        self.type_of(client).is_some_and(|typed| {
            let args = self.peel(typed).ty.args;
            args.iter().any(|argument| matches!(argument.leaf(), "Channel" | "InterceptedService"))
        })
    }

    /// The client at the beginning of a chain of calls, and the first method
    /// that is called on it.
    pub(in crate::lang::rust) fn client_call(&self, value: NodeId) -> Option<(NodeId, &str)> {
        let mut verb = None;
        let mut at = value;
        loop {
            match self.tree.kind(at) {
                Kind::Method { receiver, name, .. } => {
                    if !matches!(name.as_str(), "clone" | "as_ref" | "get_ref" | "inner") {
                        verb = Some(name.as_str());
                    }
                    at = *receiver;
                }
                Kind::Try(inner) => at = *inner,
                // `let request = client.get_item(); request.send()`.
                Kind::Path(_) => match self.init_of(at) {
                    // What a local holds is asked itself, once the action is named.
                    Some(made)
                        if matches!(self.tree.kind(made), Kind::Method { .. })
                            && !verb.is_some_and(|verb| AWS_READS.contains(&verb)) =>
                    {
                        at = made;
                    }
                    _ => return Some((at, verb?)),
                },
                _ => return Some((at, verb?)),
            }
        }
    }
}

/// Names of modules that hold generated code; others may hold a client that
/// was written by hand.
fn is_generated_module(segment: &str) -> bool {
    matches!(segment, "pb" | "proto" | "protos" | "grpc" | "generated")
        || segment.ends_with("_proto")
        || segment.ends_with("pb")
}

/// The effect of a client's method by its name, in which the verb may stand
/// anywhere: `batch_get_item`, `list_objects_v2`.
fn question_of(verb: &str) -> Effect {
    const ASKS: &[&str] =
        &["get", "list", "head", "query", "scan", "search", "msearch", "scroll", "recommend", "count"];
    match names::effect_of(verb) {
        Effect::Unknown if names::pieces(verb).any(|word| ASKS.contains(&word)) => Effect::Read,
        known => known,
    }
}
