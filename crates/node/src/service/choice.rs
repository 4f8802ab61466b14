//! Which tasks are meant: `NAME`, `NAME[INDEX]`, or a number from 1; the name of an array alone is
//! all of its tasks.

use bary_api::problem::{Kind, Refused};
use bary_jobfile::suggest;
use bary_model::id::{SpecNo, TaskId, TaskRange};
use bary_model::roster::{Roster, shown_index};

use crate::board::job::{Detail, JobRow};
use crate::service::jobs;

/// The details of a job, where they are still kept.
pub(super) fn detail(row: &JobRow) -> Result<&Detail, Refused> {
    row.detail.as_deref().ok_or_else(|| {
        let title = format!("of job {} only counts are kept", jobs::shown_no(row.no));
        let help = "details of the oldest finished jobs go first (limit board_tasks_max)";
        Refused::new(Kind::NotFound, title).help(help)
    })
}

/// The tasks that some texts mean; all of the job where there is none.
pub(super) fn tasks(row: &JobRow, texts: &[String]) -> Result<Vec<TaskRange>, Refused> {
    let roster = &detail(row)?.roster;
    if texts.is_empty() {
        let specs = (0..roster.specs() as u32).map(SpecNo);
        return Ok(specs.filter_map(|spec| whole(row, roster, spec)).collect());
    }
    texts.iter().map(|text| one(row, roster, text)).collect()
}

/// The one task that a text means.
pub(super) fn task(row: &JobRow, text: &str) -> Result<TaskId, Refused> {
    let roster = &detail(row)?.roster;
    if text.is_empty() && row.tasks == 1 {
        return Ok(TaskId { job: row.no, ..TaskId::default() });
    }
    let range = one(row, roster, text)?;
    if range.count > 1 {
        let title = format!("`{text}` is an array of {} tasks", range.count);
        return Err(Refused::new(Kind::Invalid, title).help(format!("name one: {text}[INDEX]")));
    }
    Ok(range.head())
}

fn whole(row: &JobRow, roster: &Roster, spec: SpecNo) -> Option<TaskRange> {
    let count = roster.spec(spec)?.count;
    Some(TaskRange { job: row.no, spec, first: 0, count })
}

fn one(row: &JobRow, roster: &Roster, text: &str) -> Result<TaskRange, Refused> {
    let (name, index) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, index)) => (name, Some(index.replace('_', ""))),
        None => (text, None),
    };
    if let Some(range) = roster.named(name).and_then(|spec| whole(row, roster, spec)) {
        let Some(index) = index else { return Ok(range) };
        let index = index.parse().ok().and_then(|index| place(roster, range, index));
        let missing = || unknown(row, format!("`{name}` has no task {text}"));
        return index.map(|index| range.with(index, 1)).ok_or_else(missing);
    }
    let number = text.replace('_', "").parse().ok();
    let numbered = number.and_then(|number| roster.numbered(number));
    if let Some((spec, first)) = numbered {
        return Ok(TaskRange { job: row.no, spec, first, count: 1 });
    }
    let no = jobs::shown_no(row.no);
    let refused = unknown(row, format!("job {no} has no task `{text}`"));
    /// How many names are compared to find the nearest.
    const COMPARED: u32 = 10_000;
    let specs = (0..roster.specs() as u32).take(COMPARED as usize);
    let names = specs.filter_map(|spec| Some(&*roster.spec(SpecNo(spec))?.name));
    Err(match suggest::nearest(name, names.filter(|name| !name.is_empty())) {
        Some(near) => refused.help(format!("did you mean `{near}`?")),
        None => refused,
    })
}

/// The index in its spec of a task that people know by another.
fn place(roster: &Roster, range: TaskRange, shown: i64) -> Option<u32> {
    let spec = roster.spec(range.spec)?;
    let head = range.head();
    let first = shown_index(spec, head);
    let step = match range.count {
        1 => 1,
        _ => shown_index(spec, TaskId { index: 1, ..head }).checked_sub(first)?,
    };
    let way = shown.checked_sub(first)?;
    let steps = way.checked_div(step).filter(|steps| steps * step == way)?;
    u32::try_from(steps).ok().filter(|steps| *steps < range.count)
}

fn unknown(row: &JobRow, title: String) -> Refused {
    let help = format!("it has {} tasks, from 1 to {}", row.tasks, row.tasks);
    Refused::new(Kind::NotFound, title).help(help)
}
