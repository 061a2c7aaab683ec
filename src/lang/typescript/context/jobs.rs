//! Functions that run for jobs and events: nobody waits for their answer, as
//! somebody does for a handler's.

use oxc_ast::AstKind;
use oxc_ast::ast::BindingPattern;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::Model;
use crate::lang::typescript::path::type_names;

/// Decorators of methods that run for jobs and for events (NestJS).
const DECORATORS: &[&str] = &["Process", "OnEvent", "EventPattern"];

impl Model<'_> {
    /// True where a queue, an event bus or a file of their functions runs it.
    pub(super) fn is_job(&self, function: NodeId) -> bool {
        let by_queue =
            || self.takes_job(function) || self.is_worker_method(function) || self.is_named_to_worker(function);
        self.decorators(function).iter().any(|name| DECORATORS.contains(name))
            || self.is_worked(function)
            || self.facts().imports_queue() && by_queue()
    }

    /// `async (job: Job<Mail>) => …` where a queue is imported.
    fn takes_job(&self, function: NodeId) -> bool {
        let Some(parameters) = self.parameters(function) else { return false };
        let typed = parameters.items.iter().filter_map(|given| given.type_annotation.as_ref());
        typed.take(2).any(|of| type_names(&of.type_annotation).contains(&"Job"))
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
            AstKind::NewExpression(new) => self.is_from(&self.path_of(&new.callee), &["bullmq", "bull"], "Worker"),
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
        let symbol = match (self.kind(function), self.nodes().parent_kind(function)) {
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
