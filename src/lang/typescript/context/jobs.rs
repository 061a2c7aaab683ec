//! Functions that run for jobs and events: nobody waits for their answer, as
//! somebody does for a handler's.

use oxc_ast::AstKind;
use oxc_ast::ast::BindingPattern;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::Model;
use crate::lang::typescript::path::type_names;

/// Packages of queues whose workers are handed a `Job`.
const QUEUES: &[&str] = &["bullmq", "bull", "pg-boss", "@nestjs/bullmq", "@nestjs/bull"];

/// Decorators of methods that run for jobs and for events (NestJS).
const DECORATORS: &[&str] = &["Process", "OnEvent", "EventPattern"];

/// Folders of functions that an event bus calls.
const FOLDERS: &[&str] = &["subscribers", "listeners", "event-handlers", "eventHandlers"];

/// Ends of the names of such files, before their extension.
const FILE_ENDS: &[&str] = &[".subscriber", ".subscribers", ".listener", ".listeners"];

impl Model<'_> {
    /// True where a queue, an event bus or a file of their functions runs it.
    pub(super) fn is_job(&self, function: NodeId) -> bool {
        self.decorators(function).iter().any(|name| DECORATORS.contains(name))
            || self.takes_job(function)
            || self.is_worker_method(function)
            || self.is_worked(function)
            || self.is_named_to_worker(function)
    }

    /// True for a file whose functions an event bus calls.
    pub(super) fn is_file_of_events(&self) -> bool {
        let mut parts = self.source.path.rsplit('/');
        let file = parts.next().unwrap_or("");
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        parts.any(|folder| FOLDERS.contains(&folder)) || FILE_ENDS.iter().any(|end| stem.ends_with(end))
    }

    /// `async (job: Job<Mail>) => …` where a queue is imported.
    fn takes_job(&self, function: NodeId) -> bool {
        let Some(parameters) = self.parameters(function) else { return false };
        let typed = parameters.items.iter().filter_map(|given| given.type_annotation.as_ref());
        let takes = typed.take(2).any(|of| type_names(&of.type_annotation).contains(&"Job"));
        takes && QUEUES.iter().any(|queue| self.facts().imports(queue))
    }

    /// `process` of `class MailProcessor extends WorkerHost`.
    fn is_worker_method(&self, function: NodeId) -> bool {
        let class = self.class_of(function).map(|class| self.kind(class));
        let Some(AstKind::Class(class)) = class else { return false };
        let hosts = class.heritage.as_ref().is_some_and(|of| self.path_of(&of.expression).leaf() == "WorkerHost");
        hosts && self.name_of(function).as_deref() == Some("process")
    }

    /// `new Worker("mails", f)`, `mailQueue.process(f)`, `boss.work("mails", f)`.
    fn is_worked(&self, argument: NodeId) -> bool {
        match self.nodes().parent_kind(argument) {
            AstKind::NewExpression(new) => {
                let path = self.path_of(&new.callee);
                QUEUES.iter().any(|queue| self.is_from(&path, &[queue], "Worker"))
            }
            AstKind::CallExpression(call) => {
                let callee = self.callee(call);
                match callee.leaf() {
                    "process" => callee.receiver_name().to_ascii_lowercase().ends_with("queue"),
                    "work" => self.facts().imports("pg-boss"),
                    "define" => self.facts().imports("agenda"),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// A function whose name is handed to such a worker in this file.
    fn is_named_to_worker(&self, function: NodeId) -> bool {
        let works = QUEUES.iter().chain(&["agenda"]).any(|queue| self.facts().imports(queue));
        let symbol = match (self.kind(function), self.nodes().parent_kind(function)) {
            _ if !works => None,
            (AstKind::Function(own), _) if own.is_declaration() => own.id.as_ref().and_then(|id| id.symbol_id.get()),
            (_, AstKind::VariableDeclarator(declarator)) => match &declarator.id {
                BindingPattern::BindingIdentifier(id) => id.symbol_id.get(),
                _ => None,
            },
            _ => None,
        };
        let Some(symbol) = symbol else { return false };
        self.scoping().get_resolved_references(symbol).any(|reference| self.is_worked(reference.node_id()))
    }
}
