//! `bary completions`: what a shell completes words with. The numbers of jobs are asked of the node
//! that runs, at that moment; where none does, there are none.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::{Args, Face};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Prints the completions of a shell.
pub(crate) fn run(shell: Shell) -> Result<Exit, Complaint> {
    verb::print(&mut Screen::new(Face::default()), &text(shell))?;
    Ok(Exit::OK)
}

fn text(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "bary", &mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    let verbs = of_jobs(&Args::command());
    text += &match shell {
        Shell::Bash => BASH.replace("VERBS", &verbs.join("|")),
        Shell::Zsh => ZSH.replace("VERBS", &verbs.join("|")),
        Shell::Fish => FISH.replace("VERBS", &verbs.join(" ")),
        // Others complete what is the same everywhere.
        _ => String::new(),
    };
    text
}

/// The verbs whose words name jobs.
fn of_jobs(command: &Command) -> Vec<String> {
    let names_jobs = |verb: &&Command| {
        let mut words = verb.get_positionals().filter_map(|arg| arg.get_value_names()?.first());
        words.any(|name| name.starts_with("JOB") && !name.starts_with("JOB.toml"))
    };
    let verbs = command.get_subcommands().filter(names_jobs);
    verbs.map(|verb| verb.get_name().to_owned()).collect()
}

const BASH: &str = r#"
_bary_with_jobs() {
    _bary "$@"
    local word="${COMP_WORDS[COMP_CWORD]}"
    case "${COMP_WORDS[1]}" in
        VERBS)
            [[ "$word" == -* ]] || mapfile -O "${#COMPREPLY[@]}" -t COMPREPLY < <(
                compgen -W "last all $("${COMP_WORDS[0]}" ls -q 2>/dev/null)" -- "$word"
            )
            ;;
    esac
}
complete -F _bary_with_jobs -o nosort -o bashdefault -o default bary
"#;

const ZSH: &str = r#"
_bary_with_jobs() {
    case "${words[2]}" in
        (VERBS)
            [[ "${words[CURRENT]}" == -* ]] ||
                compadd -- last all ${(f)"$(${words[1]} ls -q 2>/dev/null)"}
            ;;
    esac
    _bary "$@"
}
(( $+functions[compdef] )) && compdef _bary_with_jobs bary
"#;

const FISH: &str = r#"
complete -c bary -n "__fish_seen_subcommand_from VERBS" -f -a "last all (bary ls -q 2>/dev/null)"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_these_verbs_are_jobs() {
        let verbs = of_jobs(&Args::command());
        for verb in ["show", "wait", "logs", "cancel", "exec"] {
            assert!(verbs.iter().any(|known| known == verb), "{verb}: {verbs:?}");
        }
        for verb in ["submit", "run", "up", "node"] {
            assert!(!verbs.iter().any(|known| known == verb), "{verb}: {verbs:?}");
        }
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            assert!(text(shell).contains("ls -q"), "{shell}");
        }
    }
}
