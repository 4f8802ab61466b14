//! Access over real files: what is made at the first start, what is refused, and what outlives it.

use std::fs;
use std::path::Path;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_identity::keyring::AddError;
use bary_identity::token::Token;
use bary_model::time::{Span, Wall};
use tempfile::TempDir;

use super::change::{CreateError, RevokeError};
use super::private::PrivateError;
use super::{Access, Bearer, KEYRING, OpenError, Why};

const NOW: Wall = Wall(1_763_745_574_000_000_000);

fn later(seconds: u64) -> Wall {
    Wall(NOW.0 + Span::secs(seconds).0)
}

fn state() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn open(state: &TempDir) -> Access {
    Access::open(state.path(), NOW).expect("the state is in order")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it was written")
}

fn root_token(state: &TempDir) -> String {
    text(&state.path().join("token")).trim_end().to_owned()
}

fn bearer(name: &str, role: Role) -> Result<Bearer, Why> {
    Ok(Bearer { name: name.into(), role })
}

fn who(access: &Access, token: &str, now: Wall) -> Result<Bearer, Why> {
    access.who(token, now).map_err(|error| error.why)
}

#[test]
fn the_first_start_makes_a_token_that_later_starts_take() {
    let state = state();
    drop(open(&state));
    let token = root_token(&state);
    let access = open(&state);
    assert_eq!(root_token(&state), token);
    assert_eq!(who(&access, &token, NOW), bearer("admin", Role::Admin));
    let listed = access.list();
    assert_eq!((listed.len(), listed[0].name.as_str()), (1, "admin"));
    assert!(!state.path().join("token.draft").exists());
}

#[test]
fn a_token_works_from_when_it_is_made_to_when_it_is_revoked_and_over_restarts() {
    let state = state();
    let access = open(&state);
    let (token, entry) = access.create("ci", Role::Operator, None, NOW).expect("it is new");
    assert_eq!((entry.name.as_str(), entry.created, entry.expires), ("ci", NOW, None));
    assert_eq!(who(&access, token.reveal(), NOW), bearer("ci", Role::Operator));
    let access = open(&state);
    assert_eq!(who(&access, token.reveal(), NOW), bearer("ci", Role::Operator));
    access.revoke("ci").expect("it is known");
    assert_eq!(who(&access, token.reveal(), NOW), Err(Why::Unknown));
    assert_eq!(who(&open(&state), token.reveal(), NOW), Err(Why::Unknown));
    assert!(matches!(access.revoke("ci"), Err(RevokeError::NoSuchToken(_))));
}

#[test]
fn no_file_and_no_message_holds_a_token_but_the_token_file() {
    let state = state();
    let access = open(&state);
    let (token, _) = access.create("ci", Role::Viewer, None, NOW).expect("it is new");
    for secret in [token.reveal(), &root_token(&state)] {
        assert!(!text(&state.path().join(KEYRING)).contains(&secret[5..]));
        assert!(!format!("{access:?} {:?}", access.list()).contains(&secret[5..]));
        let almost = format!("{secret}A");
        let error = access.who(&almost, NOW).expect_err("it is too long");
        let told = format!("{error} {error:?} {:?}", Refused::from(error.clone()));
        assert!(!told.contains(&secret[5..]), "{told}");
    }
}

#[test]
fn an_expired_token_is_told_apart_from_an_unknown_one() {
    let (access, _) = Access::in_memory(NOW).expect("there is chance");
    let short = access.create("short", Role::Viewer, Some(Span::secs(60)), NOW);
    let (token, entry) = short.expect("it is new");
    assert_eq!(entry.expires, Some(later(60)));
    assert_eq!(who(&access, token.reveal(), later(59)), bearer("short", Role::Viewer));
    let expired = Why::Expired { name: entry.name, at: later(60) };
    assert_eq!(who(&access, token.reveal(), later(60)), Err(expired.clone()));
    assert!(expired.to_string().ends_with("expired at 2025-11-21T17:20:34Z"), "{expired}");
    assert_eq!(who(&access, Token::new([1; 32]).reveal(), NOW), Err(Why::Unknown));
    assert_eq!(who(&access, "", NOW), Err(Why::Missing));
    let never = access.create("never", Role::Viewer, Some(Span::ZERO), NOW);
    assert!(matches!(never, Err(CreateError::Add(AddError::Expired))));
}

#[test]
fn names_are_checked_and_the_token_files_is_taken() {
    let state = state();
    let access = open(&state);
    let role = Role::Admin;
    assert!(matches!(access.create("a b", role, None, NOW), Err(CreateError::Name(_))));
    assert!(matches!(access.create("admin", role, None, NOW), Err(CreateError::Reserved)));
    access.create("ci", role, None, NOW).expect("it is new");
    let twice = access.create("ci", role, None, NOW).expect_err("it is there");
    assert!(matches!(twice, CreateError::Add(AddError::NameTaken(_))));
    assert_eq!(Refused::from(twice).kind, Kind::Conflict);
    let root = access.revoke("admin").expect_err("it is in a file of its own");
    assert!(Refused::from(root).help.contains("SIGHUP"));
}

#[test]
fn a_removed_token_file_is_made_anew_when_reloading() {
    let state = state();
    let access = open(&state);
    let (ci, _) = access.create("ci", Role::Viewer, None, NOW).expect("it is new");
    let old = root_token(&state);
    fs::remove_file(state.path().join("token")).expect("it is there");
    assert_eq!(who(&access, &old, NOW), bearer("admin", Role::Admin));
    access.reload(NOW).expect("the state is in order");
    assert_eq!(who(&access, &old, NOW), Err(Why::Unknown));
    assert_eq!(who(&access, &root_token(&state), NOW), bearer("admin", Role::Admin));
    assert_eq!(who(&access, ci.reveal(), NOW), bearer("ci", Role::Viewer));
}

#[test]
fn reloading_what_is_damaged_changes_nothing() {
    let state = state();
    let access = open(&state);
    let (ci, _) = access.create("ci", Role::Viewer, None, NOW).expect("it is new");
    let path = state.path().join(KEYRING);
    fs::write(&path, text(&path).replace("viewer", "admin")).expect("it can be written");
    let error = access.reload(NOW).expect_err("the sum does not fit").to_string();
    assert!(error.contains("line 3: the sum does not fit"), "{error}");
    assert!(error.contains("restore it from a copy, or remove it"), "{error}");
    assert_eq!(who(&access, ci.reveal(), NOW), bearer("ci", Role::Viewer));
    assert!(matches!(Access::open(state.path(), NOW), Err(OpenError::Keyring { .. })));
}

#[test]
fn the_last_use_is_kept_at_the_end() {
    let state = state();
    let access = open(&state);
    let (token, _) = access.create("ci", Role::Viewer, None, NOW).expect("it is new");
    who(&access, token.reveal(), later(5)).expect("it is known");
    access.reload(NOW).expect("the state is in order");
    assert_eq!(access.list()[1].used, Some(later(5)));
    access.close().expect("it can be written");
    assert_eq!(open(&state).list()[1].used, Some(later(5)));
}

#[test]
fn wrong_tokens_are_shed_and_right_ones_are_not() {
    let (access, token) = Access::in_memory(NOW).expect("there is chance");
    let wrong = Token::new([1; 32]);
    let mut heard = 0;
    let shed = loop {
        match access.who(wrong.reveal(), NOW) {
            Err(error) if error.is_shed() => break error,
            Err(_) => heard += 1,
            Ok(_) => panic!("a wrong token was let in"),
        }
    };
    assert_eq!(heard, 20);
    let refused = Refused::from(shed);
    assert_eq!((refused.kind, refused.retry_after), (Kind::Full, Some(1.0)));
    assert!(access.who("", NOW).is_err_and(|error| error.is_shed()));
    assert_eq!(who(&access, token.reveal(), NOW), bearer("admin", Role::Admin));
    let next = access.who("nonsense", later(1)).expect_err("it is no token");
    assert_eq!((&next.why, next.shed), (&Why::Unknown, 2));
    assert!(next.to_string().ends_with("(2 more were told to wait before it)"), "{next}");
}

#[test]
fn what_is_no_token_is_told() {
    let state = state();
    open(&state);
    for wrong in ["", "bary_", "secret\n"] {
        let path = state.path().join("token");
        fs::write(&path, wrong).expect("it can be written");
        let error = Access::open(state.path(), NOW).expect_err("it is no token");
        assert!(matches!(&error, OpenError::NoToken(told) if *told == path), "{error}");
        fs::write(&path, "x".repeat(1_000)).expect("it can be written");
        let error = Access::open(state.path(), NOW).expect_err("it is too long");
        assert!(matches!(error, OpenError::Private(PrivateError::NotIts(_))), "{error}");
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::{Access, KEYRING, NOW, OpenError, PrivateError, Role, Why, bearer, open, state};

    #[test]
    fn the_files_are_private() {
        let state = state();
        let access = open(&state);
        access.create("ci", Role::Viewer, None, NOW).expect("it is new");
        for name in ["token", KEYRING] {
            let found = fs::metadata(state.path().join(name)).expect("it was made");
            assert_eq!(found.mode() & 0o7777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_way_out() {
        let state = state();
        open(&state).create("ci", Role::Viewer, None, NOW).expect("it is new");
        for name in ["token", KEYRING] {
            let path = state.path().join(name);
            for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
                fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
                let error = Access::open(state.path(), NOW).expect_err("others may read it");
                let exposed = matches!(error, OpenError::Private(PrivateError::Exposed { .. }));
                assert!(exposed, "{name} {mode:o}: {error}");
                let fix = format!("`chmod 600 {}`", path.display());
                assert!(error.to_string().contains(&fix), "{error}");
            }
            fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
            open(&state);
        }
    }

    #[test]
    fn no_link_is_followed_neither_to_read_nor_to_write() {
        let elsewhere = state();
        let target = elsewhere.path().join("target");
        fs::write(&target, "untouched").expect("there is room");
        for name in ["token", KEYRING] {
            let state = state();
            symlink(&target, state.path().join(name)).expect("it can be made");
            let error = Access::open(state.path(), NOW).expect_err("it is a link");
            let is_link = matches!(error, OpenError::Private(PrivateError::NotPlain(_)));
            assert!(is_link, "{name}: {error}");
        }
        let state = state();
        for name in ["token.draft", "keyring.draft"] {
            symlink(&target, state.path().join(name)).expect("it can be made");
        }
        open(&state).create("ci", Role::Viewer, None, NOW).expect("it is new");
        assert_eq!(open(&state).list().len(), 2);
        assert_eq!(super::text(&target), "untouched");
    }

    #[test]
    fn a_directory_in_the_place_of_a_file_is_refused() {
        let state = state();
        let path = state.path().join("token");
        fs::create_dir(&path).expect("there is room");
        let error = Access::open(state.path(), NOW).expect_err("it is a directory");
        assert!(matches!(error, OpenError::Private(PrivateError::NotPlain(_))), "{error}");
    }

    #[test]
    fn the_user_of_the_process_is_the_administrator_by_the_socket() {
        let state = state();
        let access = open(&state);
        let me = fs::metadata(state.path().join("token")).expect("it was made").uid();
        let peer = |uid| access.peer(uid, NOW).map_err(|error| error.why);
        assert_eq!(peer(me), bearer(&format!("uid:{me}"), Role::Admin));
        assert_eq!(peer(me + 1), Err(Why::Stranger { uid: me + 1 }));
    }

    #[test]
    fn a_token_is_not_given_out_where_it_cannot_be_kept_and_a_revoked_one_opens_nothing() {
        let state = state();
        let access = open(&state);
        let (token, _) = access.create("ci", Role::Viewer, None, NOW).expect("it is new");
        // A directory in the draft's place lets nobody write, whoever runs this.
        fs::create_dir(state.path().join("keyring.draft")).expect("there is room");
        let error = access.create("more", Role::Viewer, None, NOW).expect_err("it cannot be kept");
        assert!(error.to_string().contains("cannot be written"), "{error}");
        assert_eq!(access.list().len(), 2);
        assert!(access.revoke("ci").is_err());
        assert_eq!(super::who(&access, token.reveal(), NOW), Err(Why::Unknown));
    }
}
