//! The node that a force draws a task to most is found without a look at each. Where assertions are
//! on, each search is compared with a look at all, so that it is enough to let many worlds run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_engine::limits::Limits;
use bary_model::id::{NodeId, SpecNo};
use bary_model::job::JobSpec;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::resources::Resources;
use bary_model::task::{After, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_policy::force;
use bary_policy::topology::{Place, Topology};
use bary_policy::view::GraphScores;
use proptest::prelude::{ProptestConfig, Strategy, prop, prop_assert_eq, proptest};

use crate::world::{Seen, World, body, info, job, spec};

/// Nodes by what they have: cores, speed, region and way; what their machines were found to be; and
/// tasks by weight and cores.
#[derive(Clone, Debug)]
struct Drawn {
    nodes: Vec<(u32, f64, usize, u64)>,
    machines: [Machine; 12],
    tasks: Vec<(f64, u32, u32)>,
    rest: &'static str,
}

const REGIONS: [&str; 2] = ["here", "there"];

fn drawn() -> impl Strategy<Value = Drawn> {
    let speed = prop::sample::select(vec![0.5, 1.0, 4.0]);
    let node = (1..5_u32, speed, 0..2_usize, 0..40_u64);
    let task = (0.1..20.0, 1..5_u32, 1..40_u32);
    let rest = prop::sample::select(vec!["", ",giants=1.5", ",looks=3", ",steal=bounded"]);
    let nodes = prop::collection::vec(node, 2..12);
    let tasks = prop::collection::vec(task, 1..8);
    let found = prop::array::uniform12((0..3_u32, 0..3_u32));
    let machine =
        |(mhz, gpus)| Machine { mhz: mhz * 1_500, gpu_mib: gpus << 14, ..Machine::default() };
    (nodes, tasks, rest, found).prop_map(move |(nodes, tasks, rest, found)| Drawn {
        nodes,
        machines: found.map(machine),
        tasks,
        rest,
    })
}

impl Drawn {
    fn infos(&self) -> Vec<NodeInfo> {
        let of = |(id, (cores, speed, region, _)): (usize, &(u32, f64, usize, u64))| NodeInfo {
            region: REGIONS[*region].into(),
            ..info(id as u32, *cores, *speed)
        };
        self.nodes.iter().enumerate().map(of).collect()
    }

    fn world(&self, policy: &str) -> World {
        let ways = self.nodes.iter().map(|(.., way)| Span::millis(*way));
        let ways: Vec<Span> = ways.collect();
        let distances = ways.iter().map(|from| ways.iter().map(|to| *from + *to).collect());
        let limits = Limits { push_queue_tasks_max: 20, ..Limits::default() };
        World::with(&self.infos(), policy, &limits, distances.collect())
    }

    /// Specs of which each second reads the one before.
    fn job(&self) -> JobSpec {
        let specs = self.tasks.iter().enumerate().map(|(at, (weight, cores, count))| {
            let resources = Resources::cpus(*cores);
            let mut body = body("f");
            body.request.resources = resources;
            body.request.region = (at % 3 == 1).then(|| REGIONS[at % 2].into());
            let after = After { spec: SpecNo(at.saturating_sub(1) as u32), aligned: false };
            let after = if at % 2 == 1 { vec![after] } else { Vec::new() };
            let output = 50_000_000;
            let name = format!("t{at}");
            TaskSpec {
                after: after.into(),
                output,
                ..spec(&name, *count, *weight, &Arc::new(body))
            }
        });
        job(specs.collect())
    }

    /// Where all nodes are.
    fn topology(&self) -> Topology {
        let place = |(node, (.., region, way)): (usize, &(u32, f64, usize, u64))| {
            let scores =
                GraphScores { closeness: 1.0 / (1.0 + *way as f64), fiedler: *region as f64 - 0.5 };
            Place { node: NodeId(node as u64), region: *region as u32, key: node == 0, scores }
        };
        let places = self.nodes.iter().enumerate().map(place).collect();
        let far = Span::millis(50);
        let ways = vec![vec![Span::ZERO, far], vec![far, Span::ZERO]];
        Topology { places, regions: 2, ways, connectivity: 1.0 }
    }

    /// Tells the first node what the machines of all were found to be, its own too.
    fn tell_machines(&self, world: &mut World, at: Moment) {
        for (info, machine) in self.infos().into_iter().zip(self.machines) {
            let way = |node: u64| Span::millis(self.nodes[node as usize].3);
            let there = way(0) + way(info.id.0);
            let round_trip = if info.id.0 == 0 { Span::ZERO } else { there + there };
            world.put(at, 0, Input::Joined(Box::new(Peer { info, round_trip, machine })));
        }
    }

    /// Lets two jobs run, the second where the graph of the cluster is known if anybody asks; what
    /// machines are is found in the middle of the first.
    fn lives(&self, policy: &str) -> usize {
        let mut world = self.world(policy);
        let asked = Rc::new(Cell::new(None));
        let seen = Rc::clone(&asked);
        world.watch = Some(Box::new(move |_, node, what| {
            if let (0, Seen::Effect(Effect::Plan { number, .. })) = (node, what) {
                seen.set(Some(*number));
            }
        }));
        world.submit(self.job());
        self.tell_machines(&mut world, Moment(0) + Span::millis(30));
        world.run();
        if let Some(number) = asked.get() {
            let topology = Some(Box::new(self.topology()));
            world.put(world.now, 0, Input::Planned { number, topology });
        }
        world.submit(self.job());
        world.run();
        world.ends().len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_look_at_few_nodes_finds_what_a_look_at_all_finds(drawn in drawn()) {
        let largest = drawn.nodes.iter().map(|(cores, ..)| *cores).max().unwrap_or(1);
        let mut drawn = drawn;
        for (_, cores, _) in &mut drawn.tasks {
            *cores = (*cores).min(largest);
        }
        let tasks: u32 = drawn.tasks.iter().map(|(.., count)| *count).sum();
        for binding in ["least-loaded", "gravity"] {
            for force in force::NAMES {
                let policy = format!("{binding},force={force}{}", drawn.rest);
                prop_assert_eq!(drawn.lives(&policy), 2 * tasks as usize, "{}", policy);
            }
        }
    }
}
