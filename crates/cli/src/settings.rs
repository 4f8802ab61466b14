//! What may be set in files, by key: one table for the reader, `bary config show` and the reference
//! page. A flag wins over the environment, that over `./bary.toml`, the user's and the machine's
//! configuration, and these over the default.

use std::path::PathBuf;

use bary_jobfile::fault::Fault;
use clap::{Arg, Command};

use crate::settings::file::Entry;

pub(crate) mod file;

/// One thing that may be set.
pub(crate) struct Setting {
    /// Its key in a file.
    pub(crate) key: &'static str,
    /// The variable of the environment.
    pub(crate) env: Option<&'static str>,
    /// The id of the flag that it is the default of.
    pub(crate) flag: &'static str,
    /// The verbs whose flag it is; of all that have it where empty.
    pub(crate) verbs: &'static [&'static str],
    pub(crate) shape: Shape,
    /// Whether a node that runs takes another value on SIGHUP; none where it is no node's.
    pub(crate) reloads: Option<bool>,
    /// What holds where nothing is said, in words.
    pub(crate) default: &'static str,
    pub(crate) what: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An address of a node.
    Address,
    /// A number of something.
    Count,
    /// A length of time.
    Time,
    /// A path. In a file it starts from the file's directory where it is relative.
    Path,
    /// Where a node listens: an IP address and a port.
    Listen,
    /// Nodes of a DHT: IPv4 addresses and ports.
    Nodes,
    /// A length of time, or none at all.
    Wait,
    /// A number of bytes.
    Size,
}

/// Every setting.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "addr",
        env: Some("BARY_ADDR"),
        flag: "addr",
        verbs: &[],
        shape: Shape::Address,
        reloads: None,
        default: "the socket of the user's node, else 127.0.0.1:9876",
        what: "the node to ask",
    },
    Setting {
        key: "token-file",
        env: Some("BARY_TOKEN_FILE"),
        flag: "token_file",
        verbs: &[],
        shape: Shape::Path,
        reloads: None,
        default: "none, which is enough over the user's own socket",
        what: "the file that holds the token; BARY_TOKEN may hold the token itself",
    },
    Setting {
        key: "output",
        env: Some("BARY_OUTPUT"),
        flag: "output",
        verbs: &[],
        shape: Shape::OneOf(&["table", "wide", "json", "jsonl", "yaml", "csv", "quiet"]),
        reloads: None,
        default: "table",
        what: "what to print",
    },
    Setting {
        key: "color",
        env: None,
        flag: "color",
        verbs: &[],
        shape: Shape::OneOf(&["auto", "always", "never"]),
        reloads: None,
        default: "auto",
        what: "when to use colours; NO_COLOR and CLICOLOR_FORCE are honoured",
    },
    Setting {
        key: "keep-jobs",
        env: None,
        flag: "keep_jobs",
        verbs: &["up", "join", "dev"],
        shape: Shape::Count,
        reloads: Some(false),
        default: "1000000",
        what: "how many finished jobs a node keeps; the oldest are forgotten",
    },
    Setting {
        key: "keep-for",
        env: None,
        flag: "keep_for",
        verbs: &["up", "join", "dev"],
        shape: Shape::Time,
        reloads: Some(false),
        default: "30d",
        what: "for how long a node keeps finished jobs",
    },
    Setting {
        key: "state",
        env: Some("BARY_STATE"),
        flag: "state",
        verbs: &["up", "join"],
        shape: Shape::Path,
        reloads: Some(false),
        default: "$XDG_STATE_HOME/bary, else ~/.local/state/bary",
        what: "the directory of the node's state",
    },
    Setting {
        key: "listen",
        env: Some("BARY_LISTEN"),
        flag: "listen",
        verbs: &["up", "join", "dev"],
        shape: Shape::Listen,
        reloads: Some(false),
        default: "127.0.0.1:9876",
        what: "where the node listens for gRPC and HTTP",
    },
    Setting {
        key: "socket",
        env: Some("BARY_SOCKET"),
        flag: "socket",
        verbs: &["up", "join", "dev"],
        shape: Shape::Path,
        reloads: Some(false),
        default: "bary.sock in $XDG_RUNTIME_DIR, else in the state, else in a temporary directory \
                  of one's own",
        what: "the node's Unix socket",
    },
    Setting {
        key: "drain-timeout",
        env: Some("BARY_DRAIN_TIMEOUT"),
        flag: "drain_timeout",
        verbs: &["up", "join", "dev"],
        shape: Shape::Wait,
        reloads: Some(true),
        default: "30s",
        what: "how long what runs may go on once the node is asked to end",
    },
    Setting {
        key: "log-format",
        env: Some("BARY_LOG_FORMAT"),
        flag: "log_format",
        verbs: &["up", "join", "dev"],
        shape: Shape::OneOf(&["text", "json"]),
        reloads: Some(true),
        default: "text",
        what: "how the node writes its log",
    },
    Setting {
        key: "audit-max",
        env: Some("BARY_AUDIT_MAX"),
        flag: "audit_max",
        verbs: &["up", "join", "dev"],
        shape: Shape::Size,
        reloads: Some(true),
        default: "256MiB",
        what: "how large the audit log grows before its oldest files are removed",
    },
    Setting {
        key: "pace",
        env: None,
        flag: "pace",
        verbs: &["up", "join"],
        shape: Shape::OneOf(&["lan", "wan", "pids", "hidrs"]),
        reloads: Some(false),
        default: "lan",
        what: "how often a member says that it is there, and after how long others are gone",
    },
    Setting {
        key: "bootstrap",
        env: None,
        flag: "bootstrap",
        verbs: &["up", "join"],
        shape: Shape::Path,
        reloads: Some(false),
        default: "none: a member goes to those that it knows",
        what: "a file of addresses where members may be, one on each line",
    },
    Setting {
        key: "find",
        env: None,
        flag: "find",
        verbs: &["up", "join"],
        shape: Shape::OneOf(&["lan", "beacon", "mdns", "none"]),
        reloads: Some(false),
        default: "lan",
        what: "how a member is found on its networks, and finds others where it knows no address",
    },
    Setting {
        key: "dht",
        env: None,
        flag: "dht",
        verbs: &["up", "join"],
        shape: Shape::Nodes,
        reloads: Some(false),
        default: "none: a member takes no part in a DHT",
        what: "nodes at which the cluster's DHT begins, with commas between them",
    },
    Setting {
        key: "dht-listen",
        env: None,
        flag: "dht_listen",
        verbs: &["up", "join"],
        shape: Shape::Listen,
        reloads: Some(false),
        default: "none: a member is no node of a DHT",
        what: "where a member is a node of the cluster's DHT",
    },
    Setting {
        key: "cache-max",
        env: None,
        flag: "cache_max",
        verbs: &["up", "join", "dev"],
        shape: Shape::Size,
        reloads: Some(false),
        default: "1GiB, and 64MiB at most in memory",
        what: "how large the result cache grows before the least recently used results go",
    },
    Setting {
        key: "cache-keep-for",
        env: None,
        flag: "cache_keep_for",
        verbs: &["up", "join", "dev"],
        shape: Shape::Time,
        reloads: Some(false),
        default: "7d",
        what: "for how long a result stays in the result cache",
    },
];

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    entries: Vec<Entry>,
}

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) origin: String,
}

impl Settings {
    /// Reads the files there are, the one that wins first.
    ///
    /// # Errors
    /// Every fault of all files.
    pub(crate) fn load() -> Result<Self, Vec<Fault>> {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        for path in paths() {
            match file::read(&path) {
                Ok(read) => entries.extend(read),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self { entries }) } else { Err(faults) }
    }

    /// The entry of a file that counts for a key.
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// What holds for a setting where no flag says otherwise; none where nothing was said.
    pub(crate) fn value(&self, setting: &Setting) -> Option<Value> {
        let said = setting.env.and_then(|name| Some((name, std::env::var(name).ok()?)));
        if let Some((name, text)) = said.filter(|(_, text)| !text.is_empty()) {
            return Some(Value { text, origin: format!("environment {name}") });
        }
        let entry = self.entry(setting.key)?;
        let origin = format!("{}:{}", entry.path.display(), entry.line);
        Some(Value { text: entry.text.clone(), origin })
    }

    /// The command with what the files say as the defaults of its flags, so that flags and the
    /// environment win by themselves.
    pub(crate) fn defaults(&self, command: Command) -> Command {
        let name = command.get_name().to_owned();
        let command = command.mut_args(|arg| self.default(&name, arg));
        command.mut_subcommands(|verb| self.defaults(verb))
    }

    fn default(&self, verb: &str, arg: Arg) -> Arg {
        let meant = |setting: &&Setting| {
            arg.get_id() == setting.flag
                && (setting.verbs.is_empty() || setting.verbs.contains(&verb))
        };
        let entry = SETTINGS.iter().find(meant).and_then(|setting| self.entry(setting.key));
        match entry {
            Some(entry) => arg.default_value(entry.text.clone()),
            None => arg,
        }
    }
}

/// Where settings are looked for, the one that wins first.
pub(crate) fn paths() -> Vec<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".config"));
    let user = absolute("XDG_CONFIG_HOME").or_else(home).map(|d| d.join("bary/config.toml"));
    let mut paths = vec![PathBuf::from("bary.toml")];
    paths.extend(user);
    paths.push(PathBuf::from("/etc/bary/bary.toml"));
    paths
}

/// The reference page.
pub(crate) fn page() -> String {
    let mut page = "# Settings\n\nA flag wins over the environment, that over `./bary.toml`, that \
                    over `$XDG_CONFIG_HOME/bary/config.toml` (else `~/.config/bary/config.toml`), \
                    that over `/etc/bary/bary.toml`, and that over the default. Every value in a \
                    file is a string. An unknown key is an error. `bary config show --origin` \
                    says where each value comes from. On SIGHUP a node reads the files again: it \
                    takes other values of some settings at once, and says of which it takes them \
                    only at its next start.\n\n| key | variable | default | SIGHUP | meaning |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for setting in SETTINGS {
        let env = setting.env.map_or_else(String::new, |name| format!("`{name}`"));
        let words = match setting.shape {
            Shape::OneOf(words) => format!(": {}", words.join(", ")),
            Shape::Address | Shape::Count | Shape::Time | Shape::Path => String::new(),
            Shape::Listen | Shape::Nodes | Shape::Wait | Shape::Size => String::new(),
        };
        let reloads = match setting.reloads {
            Some(true) => "at once",
            Some(false) => "at the next start",
            None => "",
        };
        let Setting { key, default, what, .. } = setting;
        page += &format!("| `{key}` | {env} | {default} | {reloads} | {what}{words} |\n");
    }
    page += "\n```toml\naddr = \"127.0.0.1:9876\"\ntoken-file = \"token\"\n\
             drain-timeout = \"2m\"\n```\n";
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::CommandFactory;

    #[test]
    fn every_setting_is_the_default_of_a_flag() {
        fn has(command: &Command, flag: &str) -> bool {
            command.get_arguments().any(|arg| arg.get_id() == flag)
                || command.get_subcommands().any(|verb| has(verb, flag))
        }
        for setting in SETTINGS {
            assert!(has(&Args::command(), setting.flag), "{}", setting.key);
            assert!(page().contains(setting.key));
        }
    }

    #[test]
    fn what_a_file_says_is_a_default() {
        let text = "output = \"json\"\naddr = \":1\"\n";
        let entries = file::parse(text, std::path::Path::new("bary.toml")).expect("it is good");
        let command = Settings { entries }.defaults(Args::command());
        let matches = command.try_get_matches_from(["bary", "ls"]).expect("it is good");
        let output: Option<&crate::args::Form> = matches.get_one("output");
        assert_eq!(output, Some(&crate::args::Form::Json));
        let (_, verb) = matches.subcommand().expect("it is ls");
        let addr: Option<&bary_client::address::Address> = verb.get_one("addr");
        assert_eq!(addr.map(ToString::to_string).as_deref(), Some("127.0.0.1:1"));
    }
}
