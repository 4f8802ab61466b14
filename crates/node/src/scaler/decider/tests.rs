//! Tests of who comes and goes, over a cluster that is a list of facts.

use bary_model::time::{Moment, Span};

use super::*;

/// A cluster as a driver that does what it is told would have it.
struct World {
    plan: Plan,
    decider: Decider,
    facts: Facts,
    /// Whether starting members works.
    works: bool,
}

impl World {
    fn new(text: &str) -> Self {
        let plan = text.parse().expect("it is a plan");
        let alpha = Fact { name: "alpha".into(), slots: 2, ..Fact::default() };
        let facts = Facts { now: Moment(0), members: vec![alpha], ..Facts::default() };
        Self { plan, decider: Decider::new(&facts), facts, works: true }
    }

    /// What is decided so many seconds later; it is done.
    fn after(&mut self, seconds: u64) -> Vec<Act> {
        self.facts.now = self.facts.now + Span::secs(seconds);
        let steps = self.decider.look(&self.plan, &self.facts);
        assert!(steps.iter().all(|step| !step.reason.is_empty()));
        let acts: Vec<Act> = steps.into_iter().map(|step| step.act).collect();
        acts.iter().for_each(|act| self.obey(act));
        acts.into_iter().filter(|act| *act != Act::Nothing).collect()
    }

    fn obey(&mut self, act: &Act) {
        let mut set = |name: &str, drained| {
            let found = self.facts.members.iter_mut().find(|member| member.name == *name);
            found.expect("only those are named that are there").drained = drained;
        };
        match act {
            Act::Nothing => {}
            Act::Add(name) if self.works => {
                let new = Fact { name: name.clone(), slots: 2, ..Fact::default() };
                self.facts.members.push(new);
            }
            Act::Add(name) => {
                self.decider.on_failed(name, self.facts.now);
            }
            Act::Keep(name) => set(name, false),
            Act::Drain(name) => set(name, true),
            Act::Stop(name) => self.facts.members.retain(|member| member.name != *name),
        }
    }

    /// So many tasks have not ended, of which the members run what they can.
    fn load(&mut self, mut open: u32) {
        self.facts.open = open.into();
        for member in &mut self.facts.members {
            member.busy = if member.drained { 0 } else { open.min(member.slots) };
            open -= member.busy;
        }
    }

    fn member(&mut self, name: &str) -> &mut Fact {
        self.facts.members.iter_mut().find(|one| one.name == name).expect("it is there")
    }
}

fn add(numbers: &[u32]) -> Vec<Act> {
    numbers.iter().map(|number| Act::Add(called(*number))).collect()
}

const QUICK: &str = "queue,per_node=2,least=1,most=4,pause_add=10s,pause_remove=20s,steady=20s,\
                     driver=local";

#[test]
fn members_come_with_the_queue_and_go_drained_when_it_is_gone() {
    let mut world = World::new(QUICK);
    assert_eq!(world.after(1), []);
    world.load(6);
    assert_eq!(world.after(1), add(&[1, 2]));
    world.load(40);
    assert_eq!(world.after(1), [], "nodes were added just now");
    assert_eq!(world.after(10), add(&[3]), "there are at most four");
    world.load(0);
    assert_eq!(world.after(1), []);
    let drained = world.after(30);
    assert_eq!(drained, [Act::Drain("auto-3".into()), Act::Drain("auto-2".into())]);
    let stopped = world.after(1);
    assert_eq!(stopped, [Act::Stop("auto-2".into()), Act::Stop("auto-3".into())]);
    assert_eq!(world.after(30), [Act::Drain("auto-1".into())]);
    assert_eq!(world.after(1), [Act::Stop("auto-1".into())]);
    assert_eq!(world.after(60), [], "the one that the user brought up stays");
}

#[test]
fn one_that_leaves_is_kept_where_there_is_work_again() {
    let mut world = World::new(QUICK);
    world.load(4);
    assert_eq!(world.after(1), add(&[1]));
    world.load(0);
    world.after(1);
    assert_eq!(world.after(30), [Act::Drain("auto-1".into())]);
    world.load(4);
    assert_eq!(world.after(11), [Act::Keep("auto-1".into())]);
}

#[test]
fn homes_of_unfinished_jobs_and_busy_members_do_not_go() {
    let mut world = World::new(QUICK);
    world.load(8);
    assert_eq!(world.after(1), add(&[1, 2, 3]));
    world.load(0);
    world.member("auto-3").has_jobs = true;
    world.member("auto-2").busy = 1;
    world.after(1);
    assert_eq!(world.after(30), [Act::Drain("auto-1".into())]);
    world.member("auto-1").has_jobs = true;
    assert_eq!(world.after(1), [], "it was given a job meanwhile");
    world.member("auto-1").has_jobs = false;
    assert_eq!(world.after(1), [Act::Stop("auto-1".into())]);
}

#[test]
fn a_driver_that_fails_is_tried_again_ever_more_seldom() {
    let mut world = World::new("queue,per_node=1,most=2,pause_add=0s,driver=command");
    world.works = false;
    world.load(4);
    let mut tried = Vec::new();
    for second in 1..=200_u64 {
        if !world.after(1).is_empty() {
            tried.push(second);
        }
    }
    assert_eq!(tried, [1, 16, 46, 106]);
    world.works = true;
    while world.facts.members.len() == 1 {
        world.after(1);
    }
    assert_eq!(world.decider.coming.len(), 1);
    world.after(1);
    assert_eq!((world.decider.failed, world.decider.coming.len()), (0, 0), "it has come");
}

#[test]
fn one_that_does_not_come_is_given_up_and_one_that_comes_back_is_taken_up_again() {
    let mut world = World::new("queue,per_node=1,most=2,start_up=30s,driver=local");
    world.load(4);
    let steps = world.decider.look(&world.plan, &world.facts);
    assert_eq!(steps[0].act, Act::Add("auto-1".into()));
    assert_eq!(world.after(29), [], "it is on its way");
    let steps = {
        world.facts.now = world.facts.now + Span::secs(1);
        world.decider.look(&world.plan, &world.facts)
    };
    assert!(steps[0].reason.contains("auto-1 has not come within 30 s"), "{steps:?}");
    assert_eq!(world.after(200), add(&[1]));
    world.member("auto-1").drained = true;
    assert_eq!(world.after(1), [Act::Keep("auto-1".into())]);
}

#[test]
fn two_leaders_for_a_moment_name_the_same_members() {
    let (mut one, mut other) = (World::new(QUICK), World::new(QUICK));
    for world in [&mut one, &mut other] {
        world.load(6);
    }
    assert_eq!(one.after(1), other.after(1));
    // One that takes over knows nothing of what was before: it takes nobody away at once.
    let mut later = Decider::new(&one.facts);
    one.load(0);
    let idle = Facts { now: one.facts.now + Span::secs(19), ..one.facts.clone() };
    let steps = later.look(&one.plan, &idle);
    assert!(steps.iter().all(|step| step.act == Act::Nothing), "{steps:?}");
    // What the one before had drained leaves all the same.
    let mut drained = idle;
    drained.members[1].drained = true;
    let steps = later.look(&one.plan, &drained);
    assert_eq!(steps[0].act, Act::Stop("auto-1".into()));
}

#[test]
fn only_names_of_its_own_are_the_autoscalers() {
    let numbers = ["auto-1", "auto-01", "auto-0", "auto-x", "automat", "auto-77"].map(number);
    assert_eq!(numbers, [Some(1), None, None, None, None, Some(77)]);
}
