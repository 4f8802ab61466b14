//! `bary config get`, `set`, `unset` and `history`: settings of the whole cluster.

use bary_api::v1::{ListSettingsRequest, SetSettingRequest, Setting};

use crate::args::Face;
use crate::args::config::{ConfigGetArgs, ConfigSetArgs, ConfigUnsetArgs};
use crate::args::reach::Reach;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::moment;
use crate::listing::{Kind, WIDE, column, number};

/// Settings of the whole cluster.
pub(crate) const SHARED: Kind<Setting> = Kind {
    schema: "bary.cluster-settings/1",
    noun: "settings",
    columns: &[
        column("KEY", 0, |one: &Setting, _| one.key.clone()),
        column("VALUE", 0, |one, _| one.value.clone()),
        number("VERSION", 2, |one, _| version(one)),
        column("WHO", 1, |one, _| one.who.clone()),
        column("MEMBER", 3, |one, _| one.member.clone()),
        column("AT", 2, |one, _| moment::local(&one.at)),
        column("REASON", 4, |one, _| one.reason.clone()),
        column("WHAT", WIDE, |one, _| one.summary.clone()),
    ],
    id: |one| format!("{}={}", one.key, one.value),
};

fn version(setting: &Setting) -> String {
    if setting.version == 0 { String::new() } else { setting.version.to_string() }
}

/// Shows them, as they are or with all changes.
pub(crate) fn get(args: &ConfigGetArgs, history: bool, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = ListSettingsRequest { keys: args.keys.clone(), history };
        let settings = asking.node.list_settings(request).await?.settings;
        asking.print(&SHARED, &settings, None)?;
        Ok(Exit::OK)
    })
}

/// Sets one.
pub(crate) fn set(args: &ConfigSetArgs, face: Face) -> Result<Exit, Complaint> {
    if args.value.is_empty() {
        let complaint = Complaint::usage("a setting has a value");
        return Err(complaint.help("bary config unset KEY takes it back"));
    }
    change(&args.reach, face, &args.key, &args.value, args.reason.as_deref())
}

/// Takes one back.
pub(crate) fn unset(args: &ConfigUnsetArgs, face: Face) -> Result<Exit, Complaint> {
    change(&args.reach, face, &args.key, "", args.reason.as_deref())
}

fn change(
    reach: &Reach,
    face: Face,
    key: &str,
    value: &str,
    reason: Option<&str>,
) -> Result<Exit, Complaint> {
    asking::run(reach, face, async |asking| share(asking, key, value, reason).await)
}

/// Sets a setting of the whole cluster, and says what it was.
pub(crate) async fn share(
    asking: &Asking,
    key: &str,
    value: &str,
    reason: Option<&str>,
) -> Result<Exit, Complaint> {
    let reason = reason.unwrap_or_default().to_owned();
    let request = SetSettingRequest { key: key.to_owned(), value: value.to_owned(), reason };
    let reply = asking.node.set_setting(request).await?;
    let setting: Vec<Setting> = reply.setting.into_iter().collect();
    asking.print(&SHARED, &setting, None)?;
    match reply.before.as_str() {
        "" => asking.note("before it was not set"),
        before => asking.note(&format!("before it was {before}")),
    }
    Ok(Exit::OK)
}
