//! Each role may do what the table of verbs says, and every refusal and change is on record.

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1;
use bary_api::verb::{self, Verb};
use bary_node::service::caller::Caller;
use bary_node::service::{Service, Streamed};

use crate::world::{World, all, caller};

/// What one verb answers to a caller; requests that name nothing are refused, but not denied.
async fn ask(service: &Service, who: &Caller, verb: Verb) -> Result<(), Refused> {
    match verb {
        Verb::Info => service.info(who, Default::default()).await.map(drop),
        Verb::Submit => service.submit(who, Default::default()).await.map(drop),
        Verb::Begin => service.begin(who, Default::default()).await.map(drop),
        Verb::Chunk => service.chunk(who, Default::default()).await.map(drop),
        Verb::Commit => service.commit(who, Default::default()).await.map(drop),
        Verb::Session => {
            let nothing: Streamed<v1::SessionRequest> = Box::pin(tokio_stream::empty());
            service.session(who, nothing).await.map(drop)
        }
        Verb::Extend => service.extend(who, Default::default()).await.map(drop),
        Verb::Close => service.close(who, Default::default()).await.map(drop),
        Verb::Cancel => service.cancel(who, Default::default()).await.map(drop),
        Verb::Hold => service.hold(who, Default::default()).await.map(drop),
        Verb::Release => service.release(who, Default::default()).await.map(drop),
        Verb::SetPriority => service.set_priority(who, Default::default()).await.map(drop),
        Verb::Retry => service.retry(who, Default::default()).await.map(drop),
        Verb::Prune => service.prune(who, Default::default()).await.map(drop),
        Verb::ListJobs => service.list_jobs(who, Default::default()).await.map(drop),
        Verb::ListTasks => service.list_tasks(who, Default::default()).await.map(drop),
        Verb::Wait => service.wait(who, Default::default()).await.map(drop),
        Verb::Events => service.events(who, Default::default()).await.map(drop),
        Verb::Logs => service.logs(who, Default::default()).await.map(drop),
        Verb::Results => service.results(who, Default::default()).await.map(drop),
        Verb::Why => service.why(who, Default::default()).await.map(drop),
        Verb::Exec => {
            let nothing: Streamed<v1::ExecInput> = Box::pin(tokio_stream::empty());
            service.exec(who, nothing).await.map(drop)
        }
        Verb::ListNodes => service.list_nodes(who, Default::default()).await.map(drop),
        Verb::ListSettings => service.list_settings(who, Default::default()).await.map(drop),
        Verb::SetSetting => service.set_setting(who, Default::default()).await.map(drop),
        Verb::Graph => service.graph(who, Default::default()).await.map(drop),
        Verb::Scale => service.scale(who, Default::default()).await.map(drop),
        Verb::ChangeNode => service.change_node(who, Default::default()).await.map(drop),
        Verb::ListPolicies => service.list_policies(who, Default::default()).await.map(drop),
        Verb::SetPolicy => service.set_policy(who, Default::default()).await.map(drop),
        Verb::TryPolicy => service.try_policy(who, Default::default()).await.map(drop),
        Verb::Cache => service.cache(who, Default::default()).await.map(drop),
        Verb::ClearCache => service.clear_cache(who, Default::default()).await.map(drop),
        Verb::Audit => service.audit(who, Default::default()).await.map(drop),
        Verb::ListTokens => service.list_tokens(who, Default::default()).await.map(drop),
        Verb::CreateToken => service.create_token(who, Default::default()).await.map(drop),
        Verb::RevokeToken => service.revoke_token(who, Default::default()).await.map(drop),
        Verb::Backup => service.backup(who, Default::default()).await.map(drop),
        Verb::Shutdown => service.shutdown(who, Default::default()).await.map(drop),
        // The doors of workers are tested with the doors.
        Verb::Work => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_do_what_the_table_says() {
    let world = World::new();
    let verbs = || verb::TABLE.iter().filter(|row| row.verb != Verb::Work);
    let mut refusals = 0;
    for row in verbs() {
        for role in Role::ALL {
            let answer = ask(&world.service, &caller(role), row.verb).await;
            let denied = answer.is_err_and(|refused| refused.kind == Kind::Denied);
            assert_eq!(denied, role < row.role, "{} as {role}", row.verb);
            refusals += usize::from(denied);
        }
    }
    let asked = v1::AuditRequest::default();
    let lines = all(world.service.audit(&world.admin, asked).await.expect("an admin may")).await;
    let denied = lines.iter().filter(|line| line.reason.contains("needs the role"));
    assert_eq!(denied.count(), refusals);
    for row in verbs().filter(|row| row.changes) {
        // One line each, whatever came of it.
        let let_in = |line: &&v1::AuditLine| {
            line.verb == row.name && !line.reason.contains("needs the role")
        };
        let changed = Role::ALL.into_iter().filter(|role| *role >= row.role).count();
        assert_eq!(lines.iter().filter(let_in).count(), changed, "{}", row.verb);
    }
}
