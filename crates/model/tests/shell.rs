//! A real shell reads scripts with values in them: each prints the value and runs none of it.

#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use bary_model::inputs::lines::Lines;
use bary_model::inputs::{Column, Grouping, Inputs};
use bary_model::template::parse::Dialect;
use bary_model::template::{Scope, Template};
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// What `sh -c` makes of a script with a value for its placeholder.
fn run(script: &str, value: &[u8], directory: &Path) -> Output {
    let template = Template::parse(script.as_bytes(), Dialect::Loose, &mut |_| None);
    let template = template.expect("loose refuses nothing").for_shell();
    let lines: Lines = [value].into_iter().collect();
    let inputs = Inputs::new(vec![vec![Column::Lines(Arc::new(lines))]], Grouping::Single);
    let inputs = inputs.expect("there is one value");
    let text = template.expand(&Scope { row: inputs.row(0), ..Scope::default() });
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(std::ffi::OsStr::from_bytes(&text));
    shell.env("LC_ALL", "C").current_dir(directory).output().expect("there is a shell")
}

/// Scripts that print the value and nothing else, whatever it is.
const EXACT: [&str; 14] = [
    "printf %s {}",
    "printf %s '{}'",
    "printf %s \"{}\"",
    "printf %s 'a'{}\"b\" | sed '1s/^a//;$s/b$//'",
    "x='{}'; printf %s \"$x\"",
    "printf %s \"$(printf %s {}; echo .)\" | sed '$s/.$//'",
    "printf %s \"$(printf '%s.' \"{}\")\" | sed '$s/.$//'",
    "printf %s \"`printf '%s.' {}`\" | sed '$s/.$//'",
    "x=`printf '%s.' '{}'`; printf %s \"${x%.}\"",
    "x=`printf '%s.' \"{}\"`; printf %s \"${x%.}\"",
    "# it's a comment with an open quote\nprintf %s {}",
    "# a comment with {}\nprintf %s {}",
    "(printf %s \"it's: \"{}) | sed \"1s/^it's: //\"",
    "case a in a) printf %s \"{}\";; esac",
];

/// Scripts in which a value may come out otherwise, but where none of it may run.
const INERT: [&str; 18] = [
    "echo $(( {} + 1 ))",
    "echo \"${x:-{}}\"",
    "echo \"${x:-'{}'}\"",
    "echo ${x:-{}}",
    "echo $'{}'",
    "echo ${}",
    "echo \"${}\"",
    "echo \\{} \"\\{}\"",
    "cat <<E\n{}\n\\{} ${} $x\nE",
    "cat <<E\n$(echo {})\nE",
    "cat <<E\n`echo {}`\nE",
    "cat <<'E'\n{}\n{}\nE",
    "x=$(cat <<E\n{}\nE\n); echo '{}' $x",
    "echo \"$(case a in a) echo {};; esac)\"",
    "echo `echo \\`echo {}\\`` `echo \\{}`",
    "echo \"`echo \\\"{}\\\"`\" {}>/dev/null",
    "cat <<-'E F' {}\n\t{}\nE F\n{}",
    "# {}\ntrue",
];

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "'", "\"", "\\", "`", "$", "(", ")", "{", "}", ";", "\n", "E", "#", " ", "&", "|", "$(",
        "))",
    ];
    let piece = proptest::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec());
    let byte = any::<u8>().prop_map(|byte| vec![byte.max(1)]);
    let run = Just(b">RAN".to_vec());
    vec(prop_oneof![4 => piece, 1 => byte, 2 => run], 0..12).prop_map(|parts| parts.concat())
}

/// An empty directory to run in, removed in the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("bary-model-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory can be made");
        Self(path)
    }

    /// Which files are there; none, unless a value ran.
    fn files(&self) -> usize {
        fs::read_dir(&self.0).expect("the directory is there").count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the directory is there");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_prints_the_value_unchanged(value in hostile()) {
        let scratch = Scratch::new("exact");
        for script in EXACT {
            let got = run(script, &value, &scratch.0).stdout;
            let (got, want) = (String::from_utf8_lossy(&got), String::from_utf8_lossy(&value));
            prop_assert_eq!(got, want, "{}", script);
        }
        prop_assert_eq!(scratch.files(), 0);
    }

    #[test]
    fn no_part_of_a_value_runs(value in hostile()) {
        let scratch = Scratch::new("inert");
        for script in INERT {
            let output = run(script, &value, &scratch.0);
            prop_assert!(scratch.files() == 0, "{}: {:?}", script, output);
        }
    }
}
