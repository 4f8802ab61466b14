//! The client's session: many submissions on one stream, with their outcomes.

use std::time::Duration;

use bary_api::v1::extend_request::More;
use bary_api::v1::{ExtendRequest, Tasks};
use bary_client::address::Address;
use bary_client::call::CallError;
use bary_client::client::Client;
use bary_client::submission::Submission;

use crate::bench::Bench;
use crate::standing::Standing;

/// How long a dead node's socket may be held by what it was starting.
const PATIENCE: Duration = Duration::from_secs(30);

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the system has room for a runtime").block_on(work)
}

#[test]
fn submissions_are_answered_each_and_their_outcomes_told() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j", "2"]);
    let address = Address::Socket(node.socket.clone());
    run(async {
        let client = Client::connect(&address, None).await.expect("it is up");
        let session = client.session().await.expect("it has room");
        let mut accepted = Vec::new();
        for n in 0..20 {
            let work = Submission::function("noop", [b"1".to_vec(), b"2".to_vec()]);
            let work = session.run(work.name(&format!("n{n}"))).await.expect("it is good");
            accepted.push(work);
        }
        for mut work in accepted {
            let mut ended = 0;
            while let Some(outcome) = work.next().await {
                assert_eq!((outcome.job, outcome.state.as_str()), (work.reply.job, "succeeded"));
                ended += 1;
            }
            assert_eq!(ended, work.reply.tasks);
        }
        let wrong = session.submit(Submission::file("task = ")).await;
        assert!(matches!(wrong, Err(CallError::Refused(_))), "{wrong:?}");
        let after = session.submit(Submission::command(["true"])).await;
        assert_eq!(after.expect("one that is refused ends nothing").tasks, 1);
    });
}

#[test]
fn what_is_too_large_for_one_message_goes_in_chunks_everywhere() {
    /// Inputs of 70 MiB in all, which is more than a message may have.
    fn large() -> impl Iterator<Item = Vec<u8>> {
        (0..70).map(|n| vec![b'0' + n % 10; 1 << 20])
    }
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j", "2"]);
    let address = Address::Socket(node.socket.clone());
    run(async {
        let client = Client::connect(&address, None).await.expect("it is up");
        let session = client.session().await.expect("it has room");
        let mut work = session.run(Submission::function("noop", large())).await.expect("it fits");
        let mut ended = 0;
        while let Some(outcome) = work.next().await {
            assert_eq!((outcome.job, outcome.state.as_str()), (work.reply.job, "succeeded"));
            ended += 1;
        }
        assert_eq!((ended, work.reply.tasks), (70, 70));
        let open = Submission::function("noop", ["1"]).open().held();
        let job = session.submit(open).await.expect("it is good").job;
        let tasks = Tasks { function: "noop".into(), ..Tasks::default() };
        let more = |inputs| {
            let more = Some(More::Tasks(Tasks { inputs, ..tasks.clone() }));
            client.extend(ExtendRequest { job, more })
        };
        let added = more(large().map(Into::into).collect()).await;
        assert_eq!(added.expect("it fits").tasks, 71);
        let too_much = more(vec![vec![0; 241 << 20].into()]).await.expect_err("it is too large");
        let CallError::Refused(refused) = too_much else { panic!("it was sent: {too_much}") };
        let said = refused.title.contains("submissions_bytes_max");
        assert!(said && refused.help.contains("bary job add"), "{refused:?}");
    });
}

#[test]
fn a_session_says_when_its_node_has_gone() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let address = Address::Socket(node.socket.clone());
    run(async {
        let client = Client::connect(&address, None).await.expect("it is up");
        let session = client.session().await.expect("it has room");
        session.submit(Submission::command(["true"])).await.expect("it is good");
        drop(node);
        let gone = session.submit(Submission::command(["true"])).await;
        assert!(matches!(gone, Err(CallError::Broken { .. })), "{gone:?}");
        // A command that was just being started holds the socket for a moment longer.
        let refused = async { while Client::connect(&address, None).await.is_ok() {} };
        let refused = tokio::time::timeout(PATIENCE, refused).await;
        assert!(refused.is_ok(), "a node that has gone still lets clients connect");
    });
}
