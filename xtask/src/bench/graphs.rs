//! Public task graphs: how far the schedules of policies are from the best that are known, from
//! bounds, and from a plain list schedule.

use crate::bench::figure::{Bound, Row};
use crate::bench::traces::{Told, told};
use crate::repo::Repo;

/// Simulates every graph under several policies.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let Some(stg) = told(repo, &["stg", "gravity", "fifo", "random", "work-stealing"])? else {
        return Ok(Vec::new());
    };
    let Some(graphs) = told(repo, &["graphs"])? else { return Ok(Vec::new()) };
    let optimum = |figure, line: &str, bound| row(&stg, figure, line, "mean", bound);
    let to_list = |figure, line: &str| row(&graphs, figure, line, "list", None);
    let to_bound = |figure, line: &str, bound| row(&graphs, figure, line, "mean", bound);
    // A rule that is never worse by more than 1 % than what is simpler.
    let worst = |from, figure, line: &str| row(from, figure, line, "ratio", most(1.01));
    Ok(vec![
        optimum("STG-50, 2 to 16 processors", "stg gravity on all", most(1.005))?,
        optimum("STG-50, 2 processors", "stg gravity on 2 ", None)?,
        optimum("STG-50, 4 processors", "stg gravity on 4 ", None)?,
        optimum("STG-50, 8 processors", "stg gravity on 8 ", None)?,
        optimum("STG-50, 16 processors", "stg gravity on 16 ", None)?,
        optimum("STG-50, first come first", "stg fifo on all", None)?,
        optimum("STG-50, random", "stg random on all", None)?,
        optimum("STG-50, steal half", "stg work-stealing on all", None)?,
        to_bound("workflows to their bound", "graphs gravity", None)?,
        to_list("workflows to a list schedule", "graphs gravity")?,
        to_list("the same, first come first", "graphs fifo")?,
        to_list("the same, random", "graphs random")?,
        to_list("the same, steal half", "graphs work-stealing")?,
        worst(&stg, "STG-50, the worst beside random", "worst stg gravity random ")?,
        worst(&stg, "STG-50, the worst beside steal half", "worst stg gravity work-stealing ")?,
        worst(&graphs, "workflows, the worst beside random", "worst graphs gravity random ")?,
        worst(
            &graphs,
            "workflows, the worst beside steal half",
            "worst graphs gravity work-stealing ",
        )?,
    ])
}

fn most(bound: f64) -> Option<Bound> {
    Some(Bound::AtMost(bound))
}

fn row(
    from: &Told,
    figure: &'static str,
    line: &str,
    word: &str,
    bound: Option<Bound>,
) -> Result<Row, String> {
    let runs = vec![from.number(line, word)?];
    Ok(Row { figure, runs, unit: "", bound, peer: None })
}
