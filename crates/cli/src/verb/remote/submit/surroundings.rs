//! What tasks take along from where they were submitted: the directory and the environment.

use std::path::Path;

use bary_model::inputs::Inputs;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::{Scope, Template};

use crate::args::submit::WorkArgs;
use crate::complaint::Complaint;

/// What is taken of the environment where nothing is said: what programs are found by, and what
/// decides how they speak.
const TAKEN: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
];

/// The directory of the submission.
pub(crate) fn here() -> Result<std::path::PathBuf, Complaint> {
    std::env::current_dir().map_err(|cause| Complaint::failed(format!("this directory: {cause}")))
}

/// The variables to take along, in the order in which later ones win.
pub(crate) fn environment(args: &WorkArgs) -> Vec<(String, String)> {
    let ours = |name: &str| name.starts_with("BARY_");
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !args.env_none && !ours(name))
        .filter(|(name, _)| args.env_all || TAKEN.contains(&name.as_str()))
        .collect()
}

/// Puts the variables before those that the body has, which win.
pub(crate) fn carry(body: &mut Body, variables: &[(String, String)]) {
    let own = std::mem::take(&mut body.surroundings.env);
    let taken = variables.iter().filter(|(name, _)| own.iter().all(|(mine, _)| **mine != **name));
    let taken = taken.map(|(name, value)| (name.as_str().into(), Template::literal(value)));
    let mut all: Vec<_> = taken.collect();
    all.extend(own);
    body.surroundings.env = all;
}

/// Lets a body run in the directory of the submission, whatever the node's is. With a scratch
/// directory it runs there, and its files come from the submission's and go there.
pub(crate) fn settle(spec: &TaskSpec, body: &mut Body, here: &Path) {
    let surroundings = &mut body.surroundings;
    let at = |template: &Template| absolute(template, &spec.inputs, spec.first_row, here);
    surroundings.cwd = surroundings.cwd.as_ref().map(at);
    let scratch = !surroundings.inputs.is_empty() || !surroundings.outputs.is_empty();
    for file in &mut surroundings.inputs {
        file.from = at(&file.from);
    }
    for file in &mut surroundings.outputs {
        file.to = at(&file.to);
    }
    if surroundings.cwd.is_some() {
        return;
    }
    if scratch {
        for file in [&mut surroundings.stdout, &mut surroundings.stderr] {
            *file = file.as_ref().map(at);
        }
    } else {
        surroundings.cwd = Some(literal(here));
    }
}

fn literal(path: &Path) -> Template {
    Template::literal(path.as_os_str().as_encoded_bytes())
}

/// A path from the directory of the submission; one that is absolute for the first row stays.
fn absolute(template: &Template, inputs: &Inputs, row: u64, here: &Path) -> Template {
    let scope = Scope { row: inputs.row(row), sequence: 1, slot: 1, ..Scope::default() };
    if template.expand(&scope).first() == Some(&b'/') {
        return template.clone();
    }
    literal(here).then(&Template::literal("/")).then(template)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::action::{Action, FileMove};
    use std::sync::Arc;

    fn settled(change: impl FnOnce(&mut Body)) -> Body {
        let mut body = Body::new(Action::Command { argv: Vec::new() });
        change(&mut body);
        let spec = TaskSpec::new(Arc::new(body.clone()));
        settle(&spec, &mut body, Path::new("/here"));
        body
    }

    fn text(template: Option<&Template>) -> String {
        let bytes = template.expect("it is there").expand(&Scope::default());
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn a_directory_is_absolute_whoever_runs_the_task() {
        assert_eq!(text(settled(|_| {}).surroundings.cwd.as_ref()), "/here");
        let below = settled(|body| body.surroundings.cwd = Some(Template::literal("a")));
        assert_eq!(text(below.surroundings.cwd.as_ref()), "/here/a");
        let away = settled(|body| body.surroundings.cwd = Some(Template::literal("/a")));
        assert_eq!(text(away.surroundings.cwd.as_ref()), "/a");
    }

    #[test]
    fn a_scratch_directory_is_run_in_and_files_come_from_here() {
        let body = settled(|body| {
            let file = |from: &str, to: &str| FileMove {
                from: Template::literal(from),
                to: Template::literal(to),
            };
            body.surroundings.inputs = vec![file("a", "a")];
            body.surroundings.outputs = vec![file("b", "b")];
            body.surroundings.stdout = Some(Template::literal("log"));
        });
        assert!(body.surroundings.cwd.is_none());
        assert_eq!(text(Some(&body.surroundings.inputs[0].from)), "/here/a");
        assert_eq!(text(Some(&body.surroundings.outputs[0].to)), "/here/b");
        assert_eq!(text(body.surroundings.stdout.as_ref()), "/here/log");
    }

    #[test]
    fn what_a_task_says_itself_wins() {
        let mut body = Body::new(Action::Command { argv: Vec::new() });
        body.surroundings.env = vec![("A".into(), Template::literal("own"))];
        let taken = [("A".to_owned(), "taken".to_owned()), ("B".to_owned(), "b".to_owned())];
        carry(&mut body, &taken);
        let names: Vec<&str> = body.surroundings.env.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["B", "A"]);
    }
}
