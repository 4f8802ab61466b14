//! A node that is started again, on its state or on a copy of it.

use std::collections::BTreeMap;

use bary_api::role::Role;
use bary_api::v1::{self, SubmitRequest};
use bary_node::backup::restore::restore;
use bary_node::service::{Ending, Service};

use crate::world::{Gate, caller, calls, jobs, options};

#[test]
fn a_node_that_is_started_again_knows_the_same_jobs() {
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    let dir = tempfile::tempdir().expect("there is room");
    let gate = Gate::default();
    let open = || Service::open(options(&gate), dir.path()).expect("the state is sound");
    let admin = caller(Role::Admin);
    let list = |service: &Service| {
        let listed = runtime.block_on(service.list_jobs(&admin, Default::default()));
        listed.expect("an admin may").jobs
    };
    let service = open();
    let keyed = |input| SubmitRequest { idempotency_key: "k".into(), ..calls("fail", &[input]) };
    let tags = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let request =
        SubmitRequest { name: "n".into(), tags, priority: 3, ..calls("fail", &["bad", "x"]) };
    let done = runtime.block_on(service.submit(&admin, request)).expect("it is good");
    let again = runtime.block_on(service.submit(&admin, keyed("y"))).expect("it is good");
    let held = SubmitRequest { hold: true, ..calls("echo", &["z"]) };
    let held = runtime.block_on(service.submit(&admin, held)).expect("it is good").job;
    assert_eq!(done.durability, "disk");
    let asked = v1::WaitRequest { jobs: vec![done.job, again.job], timeout: 300.0 };
    assert!(runtime.block_on(service.wait(&admin, asked)).expect("they are there").done);
    let copy = dir.path().with_extension("copy");
    let asked = v1::BackupRequest { directory: copy.display().to_string() };
    runtime.block_on(service.backup(&admin, asked)).expect("there is room");
    let before = list(&service);
    service.end(&Ending::Drain);
    drop(service);

    let service = open();
    assert_eq!(list(&service), before);
    let repeated = runtime.block_on(service.submit(&admin, keyed("y"))).expect("it is the same");
    assert_eq!(repeated.job, again.job);
    runtime.block_on(service.release(&admin, jobs(held))).expect("it is held");
    let asked = v1::WaitRequest { jobs: vec![held], timeout: 300.0 };
    let reply = runtime.block_on(service.wait(&admin, asked)).expect("it is there");
    assert_eq!(reply.jobs[0].state, "succeeded");
    service.end(&Ending::Now);
    drop(service);

    assert!(Service::open(options(&gate), &copy).is_err(), "a backup is no state");
    let new = dir.path().with_extension("new");
    restore(&copy, None, &new).expect("the copy is sound");
    let restored = Service::open(options(&gate), &new).expect("it is sound");
    assert_eq!(list(&restored), before);
    restored.end(&Ending::Now);
    drop(restored);
    std::fs::remove_dir_all(copy).expect("it is there");
    std::fs::remove_dir_all(new).expect("it is there");
}
