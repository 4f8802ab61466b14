//! What was agreed on stays, whoever writes; what was not is gone.

use bary_model::id::Lsn;
use bary_replica::copy::Copy as _;
use bary_replica::group::GroupError;
use bytes::Bytes;

use crate::world::{World, agree};

fn texts(pages: &[Bytes]) -> Vec<&str> {
    pages.iter().map(|page| std::str::from_utf8(page).expect("it is text")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_agreed_on_outlives_whoever_wrote_it() {
    let world = World::of_three().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    agree(&first, reign, 1, &["a", "b"]).await.expect("all are there");
    agree(&first, reign, 3, &["c"]).await.expect("all are there");
    drop(first);
    world.end(1).await;
    let next = world.leader_of([2, 3]).await;
    let next_group = world.member(next);
    let later = next_group.reign().await.expect("it leads");
    assert!(later > reign);
    assert_eq!(texts(&world.pages[&next].read()), ["a", "b", "c"], "all is there by then");
    agree(&next_group, later, 4, &["d"]).await.expect("two of three are there");
    // It comes back, and hears what it has missed.
    world.begin(1).await;
    world.until_has(1, 4).await;
    assert_eq!(texts(&world.pages[&1].read()), ["a", "b", "c", "d"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_cut_off_agrees_on_nothing_and_its_reign_is_over() {
    let world = World::of_three().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    agree(&first, reign, 1, &["a"]).await.expect("all are there");
    world.cut(1, true);
    let alone = {
        let first = world.member(1);
        tokio::spawn(async move { agree(&first, reign, 2, &["lost"]).await })
    };
    let next = world.leader_of([2, 3]).await;
    let next_group = world.member(next);
    let later = next_group.reign().await.expect("it leads");
    agree(&next_group, later, 2, &["b"]).await.expect("two of three are there");
    world.cut(1, false);
    let lost = alone.await.expect("it does not panic");
    assert!(matches!(lost, Err(GroupError::NotLeader | GroupError::Deposed)), "{lost:?}");
    world.until_has(1, 2).await;
    assert_eq!(texts(&world.pages[&1].read()), ["a", "b"]);
    assert!(matches!(first.reign().await, Err(GroupError::NotLeader)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_a_reign_that_is_over_are_not_taken() {
    let world = World::of_three().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    agree(&first, reign, 1, &["a"]).await.expect("all are there");
    first.hand_over(2).await.expect("it goes on");
    world.until(2, |standing| standing.leads).await;
    let second = world.member(2);
    let later = second.reign().await.expect("it leads");
    let refused = agree(&second, reign, 2, &["stale"]).await;
    assert!(matches!(refused, Err(GroupError::Deposed)), "{refused:?}");
    agree(&second, later, 2, &["b"]).await.expect("all are there");
    for member in 1..=3 {
        world.until_has(member, 2).await;
        assert_eq!(texts(&world.pages[&member].read()), ["a", "b"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_long_is_given_the_whole_journal() {
    let world = World::of_three().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    world.end(3).await;
    // More than is kept of what was agreed on.
    const BATCHES: u64 = 2_500;
    for lsn in 1..=BATCHES {
        agree(&first, reign, lsn, &[&lsn.to_string()]).await.expect("two of three are there");
    }
    world.begin(3).await;
    world.until_has(3, BATCHES as usize).await;
    agree(&first, reign, BATCHES + 1, &["last"]).await.expect("all are there");
    world.until_has(3, BATCHES as usize + 1).await;
    assert_eq!(world.pages[&3].read(), world.pages[&1].read());
    // What it was given counts: without the second there are still two.
    world.end(2).await;
    agree(&first, reign, BATCHES + 2, &["more"]).await.expect("two of three are there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_whose_members_have_all_ended_goes_on_where_it_was() {
    let world = World::of_three().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    agree(&first, reign, 1, &["a"]).await.expect("all are there");
    drop(first);
    for member in 1..=3 {
        world.end(member).await;
    }
    for member in 2..=3 {
        world.begin(member).await;
    }
    let next = world.leader_of([2, 3]).await;
    let group = world.member(next);
    let later = group.reign().await.expect("it leads");
    assert_eq!(texts(&world.pages[&next].read()), ["a"], "it is there once, not twice");
    agree(&group, later, 2, &["b"]).await.expect("two of three are there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_journal_held_before_there_was_a_group_is_with_all() {
    let world = World::new(3);
    for (lsn, text) in (1..).zip(["old", "older"]) {
        world.pages[&1].append(Lsn(lsn), &Bytes::from(text)).expect("there is room");
    }
    world.unite().await;
    let first = world.member(1);
    let reign = first.reign().await.expect("it leads");
    agree(&first, reign, 3, &["new"]).await.expect("all are there");
    for member in 1..=3 {
        world.until_has(member, 3).await;
        assert_eq!(texts(&world.pages[&member].read()), ["old", "older", "new"]);
    }
}
