//! `bary console` as lines: the published session, commands in every language, and what becomes of
//! lines that are wrong.

use crate::bench::Bench;

/// The session that the simulation's document shows, as it is typed and as it looks then.
const TYPED: &str = "3\nдобавить\n5\n";
const SHOWN: &str = "\
Введите количество серверов: 3
Команда: добавить
5
Задание с 5 секундами выполнения направлено на Сервер 1.
Состояние серверов:
    Сервер 1: выполняет задание (осталось 4 сек.)
    Сервер 2: пусто
    Сервер 3: пусто
Очередь заданий: нет.
";

fn talk(words: &[&str], typed: &str) -> crate::bench::Run {
    Bench::new().fed(&[&["console"], words].concat(), typed)
}

#[test]
fn the_published_session_is_shown_word_for_word() {
    let typed = format!("{TYPED}выход\n");
    let end = "Команда: выход\n\
        Итог: прошло 1 сек., заданий выполнено: 0, выполняется: 1, ждёт: 0.\n    \
        Сервер 1: выполнил заданий: 0, занят 100 % времени\n    \
        Сервер 2: выполнил заданий: 0, занят 0 % времени\n    \
        Сервер 3: выполнил заданий: 0, занят 0 % времени\n";
    talk(&["--lang", "ru"], &typed).is(0, &format!("{SHOWN}{end}"));
}

#[test]
fn the_environment_chooses_the_language_unless_it_is_named() {
    let bench = Bench::new();
    let said = |locale: &str, words: &[&str]| {
        let mut command = bench.command([&["console", "--servers", "1"], words].concat());
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(name);
        }
        let output = command.env("LANG", locale).output().expect("the program is built");
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert!(said("ru_RU.UTF-8", &[]).starts_with("Команда: "));
    assert!(said("zh_CN.UTF-8", &[]).starts_with("命令："));
    assert!(said("C", &[]).starts_with("Command: "));
    assert!(said("zh_CN.UTF-8", &["--lang", "ru"]).starts_with("Команда: "));
}

#[test]
fn a_busy_cluster_queues_and_a_server_that_is_removed_gives_its_task_back() {
    let typed = "add 5 3 2\nremove server 1\nдобавить сервер 2\n等待 全部\nquit\n";
    let run = talk(&["--servers", "2", "--lang", "en"], typed);
    let wanted = [
        "A task of 5 seconds was sent to Server 1.\n",
        "A task of 3 seconds was sent to Server 2.\n",
        "A task of 2 seconds was queued.\n",
        "Queue: 2 s\n",
        "Server 1 was removed.\nA task of 5 seconds went back to the queue (Server 1).\n",
        "    Server 2: runs a task (1 s left)\nQueue: 5 s, 2 s\n",
        "Server 1 was added (speed 2).\nA task of 5 seconds was sent to Server 1.\n",
        "Server 2 finished a task of 3 seconds.\nA task of 2 seconds was sent to Server 2.\n",
        "tasks done: 3, running: 0, waiting: 0.\n",
    ];
    let mut rest = &run.out[..];
    for wanted in wanted {
        let at = rest.find(wanted).unwrap_or_else(|| panic!("{wanted:?} is not in {rest}"));
        rest = &rest[at..];
    }
    assert_eq!((run.code, &*run.err), (Some(0), ""));
}

#[test]
fn a_wrong_line_changes_nothing_and_says_what_to_write() {
    let typed = "ten\n1\nad 5\nadd 0\nadd\nfive\nremove 7\npolicy x\nwait 99999\nstate\nquit\n";
    let run = talk(&["--lang", "en"], typed);
    let wrong: Vec<&str> = run.err.lines().collect();
    let wanted = [
        "`ten` is not a number of servers: write a whole number from 1 to 1000",
        "unknown word `ad`: did you mean `add`?",
        "`0` is not how long a task takes",
        "`five` is not how long a task takes",
        "there is no server `7`; there are 1",
        "refused: no policy is called \"x\"",
        "`99999` is not how long to wait: write whole seconds from 1 to 3600",
    ];
    assert_eq!(wrong.len(), wanted.len(), "{run:?}");
    for (line, wanted) in wrong.iter().zip(wanted) {
        assert!(line.contains(wanted), "{line:?} does not say {wanted:?}");
    }
    assert!(run.out.contains("Server 1: idle\nQueue: empty.\n"), "{run:?}");
    assert!(run.out.contains("Summary: 0 s went by"), "{run:?}");
    assert_eq!(run.code, Some(2));
}

#[test]
fn long_lines_and_bytes_that_are_no_text_are_refused() {
    let bench = Bench::new();
    let long = "5 ".repeat(2_049);
    let typed = [b"add ", long.as_bytes(), b"\n\xff\xfe\nadd 1\n"].concat();
    let run = bench.fed(&["console", "--servers", "1", "--lang", "en"], typed);
    run.says(2, "console_line_bytes_max").says(2, "not text in UTF-8");
    assert!(run.out.contains("A task of 1 second was sent to Server 1.\n"), "{run:?}");
    bench.fed(&["console"], "").says(2, "the input ended before a number of servers");
    bench.bary(&["console", "--servers", "1001"]).says(2, "--servers");
    bench.bary(&["console", "--policy", "x"]).says(2, "no policy is called");
    bench.fed(&["console", "--servers", "1", "--log", "no/where"], "").says(1, "no/where");
}

#[test]
fn the_log_has_what_was_typed_what_happened_and_what_engines_did() {
    let bench = Bench::new();
    bench
        .fed(&["console", "--servers", "2", "--log", "log"], "add 2\nwait all\n")
        .is(0, &{ bench.fed(&["console", "--servers", "2"], "add 2\nwait all\n").out });
    let log = bench.read("log");
    let records = log.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
    let records: Vec<serde_json::Value> = records.collect();
    let of = |event: &str| records.iter().filter(|record| record["event"] == event).count();
    assert_eq!(
        [of("line"), of("sent"), of("finished"), of("state"), of("summary")],
        [2, 1, 1, 2, 1]
    );
    assert!(of("engine") > 20, "{log}");
}

#[test]
fn programs_get_json() {
    let words = ["--servers", "2", "--policy", "round-robin"];
    let typed = "add 3 1 1\nwait all\n";
    let run = talk(&[&words[..], &["-o", "json"]].concat(), typed);
    let summary = run.json();
    assert_eq!((&summary["done"], &summary["seconds"]), (&3.into(), &4.0.into()));
    let run = talk(&[&words[..], &["-o", "jsonl"]].concat(), typed);
    let states = run.out.lines().filter(|line| line.contains("\"event\":\"state\""));
    assert_eq!((states.count(), run.code), (4, Some(0)));
}

#[test]
fn the_sessions_of_the_documentation_go_as_they_are_shown() {
    let page = include_str!("../../../../docs/console.md");
    let shown = page.split("```text\n$ bary console ").skip(1);
    let mut sessions = 0;
    for session in shown.filter_map(|rest| rest.split_once("\n```")) {
        let (words, wanted) = session.0.split_once('\n').expect("a session has lines");
        let words: Vec<&str> = words.split(' ').collect();
        let run = talk(&words, &typed(wanted));
        let out = &run.out;
        assert!(out.starts_with(&format!("{wanted}\n")), "{wanted}\nis not what {out} begins with");
        sessions += 1;
    }
    assert_eq!(sessions, 3);
}

/// What was typed in a session: what stands behind a prompt, and the line after a bare `add`.
fn typed(shown: &str) -> String {
    let prompts = [
        "Введите количество серверов: ",
        "Команда: ",
        "Number of servers: ",
        "Command: ",
        "请输入服务器数量：",
        "命令：",
    ];
    let mut typed = String::new();
    let mut next = false;
    for line in shown.lines() {
        let behind = prompts.iter().find_map(|prompt| line.strip_prefix(prompt));
        if let Some(line) = behind.or(next.then_some(line)) {
            typed += &format!("{line}\n");
            next = ["add", "добавить", "添加"].contains(&line);
        }
    }
    typed
}
