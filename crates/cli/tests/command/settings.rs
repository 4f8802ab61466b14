//! Settings, and the verbs about them: precedence, faults with a place, health, manual pages.

use crate::bench::Bench;

#[test]
fn the_first_that_says_something_wins() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path().join("config/bary")).expect("it can be made");
    bench.file("config/bary/config.toml", "output = \"json\"\ncolor = \"never\"\n");
    let shown = |words: &[&str], env: Option<&str>| {
        let mut command = bench.command(words);
        command.env("XDG_CONFIG_HOME", bench.path().join("config")).env_remove("BARY_ADDR");
        if let Some(output) = env {
            command.env("BARY_OUTPUT", output);
        }
        String::from_utf8(command.output().expect("it is built").stdout).expect("it is text")
    };
    let json = shown(&["config", "show", "--origin"], None);
    assert!(json.contains("config.toml:1") && json.contains("\"default\""), "{json}");
    bench.file("bary.toml", "output = \"csv\"\naddr = \":1\"\n");
    let csv = shown(&["config", "show", "--origin"], None);
    assert!(
        csv.contains("output,bary.toml:1,csv") || csv.contains("output,csv,bary.toml:1"),
        "{csv}"
    );
    assert!(csv.contains("config.toml:2"), "{csv}");
    let table = shown(&["config", "show", "--origin"], Some("table"));
    assert!(table.contains("environment BARY_OUTPUT"), "{table}");
    let flag = shown(&["config", "show", "-o", "quiet"], Some("json"));
    assert!(flag.contains("addr=:1\n"), "{flag}");
}

#[test]
fn a_wrong_file_is_named_with_its_line() {
    let bench = Bench::new();
    bench.file("bary.toml", "output = \"json\"\nadress = \"x\"\n");
    let run = bench.bary(&["ls"]);
    run.says(2, "bary.toml:2:1: unknown key `adress`");
    bench.bary(&["completions", "bash"]).says(0, "");
    let doctor = bench.bary(&["doctor", "-o", "json"]);
    let checks = doctor.json();
    assert_eq!((&checks["schema"], doctor.code), (&"bary.doctor/1".into(), Some(1)));
}

#[test]
fn the_doctor_says_what_to_do() {
    let bench = Bench::new();
    let run = bench.bary(&["doctor", "--addr", "./none.sock"]);
    assert!(run.out.contains("no node answers") && run.out.contains("bary up"), "{run:?}");
    for check in ["settings", "state", "token", "disk", "clock", "files", "cgroups"] {
        assert!(run.out.lines().any(|line| line.starts_with(check)), "{check} in {run:?}");
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let bench = Bench::new();
    bench.bary(&["man", "pages"]).is(0, "");
    assert!(bench.read("pages/bary-job-add.1").contains(".TH"));
    assert!(bench.bary(&["man"]).out.contains("bary"));
}
