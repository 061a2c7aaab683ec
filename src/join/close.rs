//! Closes the needs of one candidate, and settles where it runs.

use crate::join::needs::{Answer, answer};
use crate::join::{Join, reach, severity};
use crate::observe::{Candidate, Confidence, Context, Gift, IfNo, Question, Step, is_light};

/// The assumption that a method of another file reads, as its name says.
const METHOD_UNKNOWN: &str = "method-unknown";

/// What a library's users alone know: how often it runs, and where only a name
/// says that a call reads, what stands behind it. Of 81 sequential awaits that
/// were read in published packages and rested on a name, 34 were right.
const FOR_CALLERS_TO_KNOW: [&str; 5] =
    ["called-often", "reads-by-name", "client-by-name", "effect-unknown", METHOD_UNKNOWN];

/// A candidate without open needs.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Its file, relative to the tree's root.
    pub path: String,
    /// The candidate, with what the answers added.
    pub candidate: Candidate,
    /// Where it runs for its severity: its own context, or `handler` where
    /// only a name puts it on a request path.
    pub effective: Context,
    /// What severity rests on, where a name alone puts it on a request path.
    pub request_path: Option<Step>,
    /// Files that must be mapped before all of its needs can be answered.
    pub wanted: Vec<String>,
    /// No handler that calls it was found among the mapped files.
    pub seeks_handler: bool,
}

impl Closed {
    /// True for what would be told as things stand.
    pub fn is_told(&self) -> bool {
        self.candidate.cleared.is_none() && self.candidate.confidence >= Confidence::Likely
    }
}

/// Closes `candidate` of the file at `path`: as it stands, or, where it would
/// not be shown, as the surest of its narrower readings.
pub fn close(join: &Join<'_>, path: &str, candidate: &Candidate) -> Closed {
    let standing = |closed: &Closed| closed.candidate.cleared.is_none().then_some(closed.candidate.confidence);
    let mut best = close_one(join, path, candidate);
    for narrower in &candidate.narrower {
        if standing(&best) >= Some(Confidence::Likely) {
            break;
        }
        let mut closed = close_one(join, path, narrower);
        if standing(&closed) > standing(&best) {
            std::mem::swap(&mut best, &mut closed);
        }
        best.wanted.append(&mut closed.wanted);
        best.seeks_handler |= closed.seeks_handler;
    }
    best
}

/// Closes one reading. Needs that wait for a file which is not mapped yet count
/// as unknown, and the file is `wanted`.
fn close_one(join: &Join<'_>, path: &str, candidate: &Candidate) -> Closed {
    let mut closed = Closed {
        path: path.to_owned(),
        candidate: candidate.clone(),
        effective: candidate.context,
        request_path: None,
        wanted: Vec::new(),
        seeks_handler: false,
    };
    if candidate.cleared.is_some() {
        return closed;
    }
    for need in &candidate.needs {
        // What is cleared asks for nothing more.
        if closed.candidate.cleared.is_some() {
            break;
        }
        let mut result = match need.question {
            Question::CalledFromHandler(name) => join.reached().answer(path, name),
            Question::CalledPerRequest(name) => reach::called_per_request(path, name, join),
            Question::NotOnlyAtStart(name) => reach::not_only_at_start(path, name, join.files, join.facts),
            Question::CallersLeaveUnbounded { ref name, function, index } => {
                reach::callers_leave_unbounded(path, (name, function), index, join)
            }
            Question::NoneSets(setting) => reach::none_sets(path, setting, join.files, join.facts),
            Question::NoTimeoutLayer => reach::timeout_layer(path, join.files, join.facts),
            ref question => answer(question, path, join.facts, join.files),
        };
        if let Answer::NeedFiles(files) = &mut result {
            closed.wanted.append(files);
        }
        let candidate = &mut closed.candidate;
        let place = |step: Step| Step { span: step.span.or(need.span), ..step };
        if matches!(result, Answer::Yes(_) | Answer::Likely(_)) && asks_for_handler(&need.question) {
            candidate.context = Context::Handler;
            closed.effective = Context::Handler;
        }
        match result {
            // Three calls of one function are answered by the same words once.
            Answer::Yes(step) if candidate.evidence.contains(&step) => {}
            Answer::Yes(step) => candidate.evidence.push(step),
            Answer::No(step) => match need.if_no {
                IfNo::Clear => clear(candidate, place(step)),
                IfNo::DropPatch => candidate.patch = None,
                IfNo::LeaveRequestPath => candidate.request_path_by_name = None,
            },
            // How often a way of several calls is taken, and how much there is
            // to do then, are one and the same assumption about its weight.
            Answer::Likely(step) if is_weight(candidate, &need.question) => candidate.evidence.push(step),
            Answer::Likely(step) => lower(candidate, Confidence::Likely, step, &need.question),
            Answer::Possible(step) => lower(candidate, Confidence::Possible, step, &need.question),
            Answer::Unknown | Answer::NeedFiles(_) => {
                closed.seeks_handler |= asks_for_handler(&need.question) && candidate.context == Context::Library;
                let step = unknown(&need.question);
                match need.if_unknown {
                    Some(ceiling) => lower(candidate, ceiling, place(step), &need.question),
                    None => clear(candidate, place(step)),
                }
            }
        }
    }
    leave_to_callers(join, &mut closed);
    settle_context(join, &mut closed);
    closed
}

/// What rests on something that only a library's users know is no more than
/// possible in its functions.
fn leave_to_callers(join: &Join<'_>, closed: &mut Closed) {
    let candidate = &mut closed.candidate;
    let rests_on_it =
        candidate.assumption.as_ref().is_some_and(|step| FOR_CALLERS_TO_KNOW.contains(&step.key.as_ref()));
    if rests_on_it && candidate.context == Context::Library && join.facts.is_called_by_others(&closed.path) {
        candidate.confidence = Confidence::Possible;
    }
}

fn asks_for_handler(question: &Question) -> bool {
    matches!(question, Question::CalledFromHandler(_) | Question::CalledPerRequest(_))
}

/// True where a candidate already assumes how much a request asks for.
fn is_weight(candidate: &Candidate, question: &Question) -> bool {
    let assumed = candidate.assumption.as_ref().is_some_and(|step| step.key == "many-elements");
    assumed && matches!(question, Question::CalledFromHandler(_))
}

fn clear(candidate: &mut Candidate, guard: Step) {
    candidate.cleared.get_or_insert(guard);
}

/// Lowers the confidence under a named assumption; a second assumption about
/// the finding's truth makes it `possible`, since a likely finding rests on one.
fn lower(candidate: &mut Candidate, ceiling: Confidence, assumption: Step, question: &Question) {
    // Whether the patch keeps behaviour depends on what the called function
    // does; on the runtime's version depends only whether it is needed.
    let effect = |question: &Question| {
        matches!(
            question,
            Question::ReadsIo(_)
                | Question::ReadsOnItsOwn(_)
                | Question::ReadsService(_)
                | Question::OnlyReads(_)
                | Question::GivesPromise(_)
        )
    };
    if effect(question) {
        candidate.patch = None;
    }
    if ceiling == Confidence::Certain {
        return;
    }
    // That names are not resolved says how the place was seen, and is no
    // assumption about what runs: it does not stack with one.
    // That the methods of one thing do what their names say is one assumption;
    // a function that is called by itself may as well compute, or read a cookie.
    let module = |step: &Step| step.values.get("module").cloned();
    let again = |step: &Step| {
        let methods = step.key == METHOD_UNKNOWN && module(step) == module(&assumption) || step.key == "reads-as-named";
        step.key == assumption.key && (step.values == assumption.values || methods)
    };
    if candidate.assumption.as_ref().is_some_and(again) {
        candidate.confidence = candidate.confidence.min(ceiling);
        return;
    }
    let stands_in = candidate.assumption.as_ref().is_some_and(is_light);
    let ceiling = if candidate.assumption.is_some() && !stands_in { Confidence::Possible } else { ceiling };
    candidate.confidence = candidate.confidence.min(ceiling);
    match candidate.assumption.take() {
        // What it rests on is the other one; a third then counts as a second.
        Some(light) if stands_in => {
            candidate.evidence.push(light);
            candidate.assumption = Some(assumption);
        }
        Some(first) => candidate.assumption = Some(first),
        None => candidate.assumption = Some(assumption),
    }
}

/// The words for a question that nothing answered.
fn unknown(question: &Question) -> Step {
    match question {
        Question::ReadsIo(name)
        | Question::ReadsOnItsOwn(name)
        | Question::ReadsService(name)
        | Question::OnlyReads(name) => {
            let shown = name.members.last().unwrap_or(&name.name);
            let key = if name.members.is_empty() { "effect-unknown" } else { METHOD_UNKNOWN };
            Step::new(key).with("name", shown.as_str()).with("module", name.module.as_str())
        }
        Question::IsHttpClient(name) => {
            Step::new("client-unknown").with("name", name.members.last().unwrap_or(&name.name).as_str())
        }
        Question::MakesClient(name) => Step::new("client-unseen").with("name", name.name.trim_end_matches("()")),
        Question::Gives(name, Gift::Timer) => Step::new("timer-unseen").with("name", name.name.trim_end_matches("()")),
        Question::Gives(name, Gift::Base64 | Gift::Hex) => {
            Step::new("encoding-unseen").with("name", name.name.trim_end_matches("()"))
        }
        Question::Gives(name, Gift::Bounded | Gift::Unbounded) => {
            Step::new("requests-unseen").with("name", name.name.as_str())
        }
        Question::GivesPromise(name) => Step::new("promise-unknown").with("name", name.name.as_str()),
        Question::NodeBelow { major } => Step::new("node-floor-unknown").with("major", *major),
        Question::DependencyBelow { package, .. } | Question::DependencyAtLeast { package, .. } => {
            Step::new("dependency-version-unknown").with("package", package.as_str())
        }
        Question::CalledFromHandler(_)
        | Question::CalledPerRequest(_)
        | Question::NotOnlyAtStart(_)
        | Question::NoTimeoutLayer => Step::new("handler-unseen"),
        Question::CallersLeaveUnbounded { .. } => Step::new("callers-unseen"),
        Question::RustAtLeast { minor } => Step::new("rust-version-unknown").with("minor", *minor),
        Question::InService => Step::new("service-unknown"),
        Question::OnServer | Question::NotCommandLine | Question::NotInTool(_) | Question::NoneSets(_) => {
            Step::new("runtime-unseen")
        }
        Question::NotInCommandLineProgram => Step::new("command-line-unknown"),
        Question::Feature { package, feature } => {
            Step::new("feature-unknown").with("package", package.as_str()).with("feature", feature.as_str())
        }
    }
}

/// Library code in a class or file named like a service counts as called per
/// request, in a package that installs no command. That is an assumption about
/// severity: it is named, and only where it changes the severity.
fn settle_context(join: &Join<'_>, closed: &mut Closed) {
    let candidate = &mut closed.candidate;
    // Whatever it holds, somebody starts it and waits for it alone; a server
    // of its own serves that one user.
    if matches!(candidate.context, Context::Library | Context::Handler) && join.facts.is_tool(&closed.path) {
        closed.effective = Context::Cli;
        return;
    }
    // A function whose router stands in another file (Rust).
    if candidate.context == Context::Library
        && closed.path.ends_with(".rs")
        && let Some(step) = join.routed().given(&closed.path, &candidate.symbol)
    {
        candidate.context = Context::Handler;
        candidate.evidence.push(step);
        closed.effective = Context::Handler;
        return;
    }
    let Some(name) = candidate.request_path_by_name.clone() else { return };
    // Of a library's functions, those alone who call them know how often.
    let facts = join.facts;
    let unknown = facts.is_command(&closed.path) || facts.is_called_by_others(&closed.path);
    if candidate.context != Context::Library || unknown {
        return;
    }
    let rules = join.rules;
    if severity(rules, candidate, Context::Handler) == severity(rules, candidate, Context::Library) {
        return;
    }
    closed.effective = Context::Handler;
    candidate.confidence = candidate.confidence.min(Confidence::Likely);
    closed.request_path = Some(Step::new("called-per-request").with("name", name));
}
