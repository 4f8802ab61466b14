//! Plays a scene: submits its tasks one by one at one node, looks at all nodes while they run, and
//! says what became of each task.

use std::time::{Duration, Instant};

use bary_api::v1::{ListTasksRequest, Task};
use bary_client::client::Client;
use bary_client::submission::Submission;

use crate::args::bench::Scene;
use crate::complaint::Complaint;

/// What was seen of a scene.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// From the first submission until the last task had ended, in seconds.
    pub(crate) took: f64,
    /// How it went with each task.
    pub(crate) tasks: Vec<Task>,
    /// How many tasks waited or ran at each node whenever one looked.
    pub(crate) held: Vec<u64>,
}

/// What a scene is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) tasks: u32,
    /// How long each takes, in seconds.
    pub(crate) seconds: u32,
    /// How long after one task the next one comes.
    gap: Duration,
}

impl Plot {
    /// That of a scene, as the published system's client has it; it does not say how long the gaps
    /// of the gradual one are, which took 15.8 s for ten tasks.
    pub(crate) fn of(scene: Scene) -> Self {
        match scene {
            Scene::Burst => Self { tasks: 20, seconds: 1, gap: Duration::ZERO },
            Scene::Gradual => Self { tasks: 10, seconds: 1, gap: Duration::from_millis(1_500) },
            Scene::Long => Self { tasks: 5, seconds: 5, gap: Duration::ZERO },
        }
    }

    /// What no cluster of so many slots can be faster than, in seconds.
    pub(crate) fn least(self, slots: u32) -> f64 {
        let work = f64::from(self.tasks.div_ceil(slots) * self.seconds);
        let arrivals = self.gap.as_secs_f64() * f64::from(self.tasks - 1) + f64::from(self.seconds);
        work.max(arrivals)
    }
}

/// How often one looks at the nodes.
const LOOK: Duration = Duration::from_millis(100);

/// Plays a scene at a node.
pub(crate) async fn play(scene: Scene, node: &Client) -> Result<Seen, Complaint> {
    let plot = Plot::of(scene);
    let begun = Instant::now();
    let mut seen = Seen::default();
    let work = async {
        let mut jobs = Vec::new();
        for _ in 0..plot.tasks {
            let task = Submission::command(["sleep".to_owned(), plot.seconds.to_string()]);
            jobs.push(node.submit(task).await?.job);
            if !plot.gap.is_zero() && jobs.len() < plot.tasks as usize {
                tokio::time::sleep(plot.gap).await;
            }
        }
        node.finish(&jobs).await?;
        Ok::<_, Complaint>((jobs, begun.elapsed().as_secs_f64()))
    };
    let mut work = std::pin::pin!(work);
    let (jobs, took) = loop {
        tokio::select! {
            biased;
            done = &mut work => break done?,
            () = tokio::time::sleep(LOOK) => look(node, &mut seen).await?,
        }
    };
    seen.took = took;
    for job in jobs {
        let request = ListTasksRequest { job, ..ListTasksRequest::default() };
        seen.tasks.extend(node.list_tasks(request).await?.tasks);
    }
    Ok(seen)
}

async fn look(node: &Client, seen: &mut Seen) -> Result<(), Complaint> {
    let nodes = node.list_nodes(&[]).await?.nodes;
    seen.held.extend(nodes.iter().map(|node| node.holding));
    Ok(())
}
