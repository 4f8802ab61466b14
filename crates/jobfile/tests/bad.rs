//! Files that are refused: each with the place, the message and the fix that a person sees.

use std::collections::BTreeSet;
use std::path::Path;

use bary_jobfile::fault::Fault;
use bary_jobfile::files::Disk;
use bary_jobfile::read::{ReadOptions, read};

fn options() -> ReadOptions {
    let functions = ["noop", "sleep", "wordcount"].iter().map(|name| (*name).to_owned()).collect();
    ReadOptions { functions: Some(functions), ..ReadOptions::default() }
}

fn faults(text: &str) -> Vec<Fault> {
    match read(text, Path::new("job.toml"), &options(), &Disk) {
        Ok(_) => panic!("this file must be refused:\n{text}"),
        Err(faults) => faults,
    }
}

/// Each file has exactly one fault: at the place, with these words in its text and its fix.
const BAD: &[(&str, &str, &str, &str)] = &[
    // Syntax and shapes.
    ("[[task]]\nname = \n", "2:8", "", ""),
    ("", "", "the file has no task", "[[task]]"),
    ("task = []", "", "the file has no task", ""),
    ("[[task]]\ncomand = 'x'\nfunction = 'noop'", "2:1", "unknown key `comand`", "`command`"),
    (
        "command = 'x'\n[[task]]\nfunction = 'noop'",
        "1:1",
        "unknown key `command`",
        "under [[task]]",
    ),
    ("[[task]]\nfunction = 'noop'\ncpus = true", "3:8", "`cpus` must be a number", ""),
    ("[[task]]\nfunction = 'noop'\nshell = 1", "3:9", "`shell` must be true or false", ""),
    ("[[task]]\ncommand = ['a', 1]", "2:17", "must be a string, not integer", ""),
    ("task = 1", "1:8", "`task` must be an array", ""),
    (
        "[[task]]\nfunction = 'noop'\narray = 10\ngang = 4",
        "1:1",
        "10 tasks cannot be gangs of 4 each",
        "a multiple of",
    ),
    ("[[task]]\nfunction = 'noop'\ngang = 0", "3:8", "`gang` is 0; it must be", ""),
    // What runs.
    ("[[task]]\nname = 'a'", "1:1", "neither `command` nor `function`", "add what it runs"),
    ("[[task]]\ncommand = 'a'\nfunction = 'noop'", "3:12", "both `command` and `function`", ""),
    ("[[task]]\nfunction = 'nop'", "2:12", "unknown function `nop`", "\"noop\""),
    ("[[task]]\nfunction = 'elephant'", "2:12", "unknown function", "are noop, sleep, wordcount"),
    ("[[task]]\ncommand = ''", "2:11", "this command is empty", ""),
    ("[[task]]\ncommand = []", "2:11", "this command is empty", ""),
    ("[[task]]\ncommand = \"a 'b\"", "2:11", "a quote is not closed", "close the quote"),
    ("[[task]]\ncommand = 'ls | wc'", "2:11", "`|` means something to a shell", "shell = true"),
    (
        "[[task]]\nname = 'a'\ncommand = 'a'\narray = 2\n\
         reduce = { op = 'CUSTOM', command = 'sort > x' }",
        "5:37",
        "`>` means something to a shell",
        "[\"sh\", \"-c\"",
    ),
    ("[[task]]\ncommand = ['a']\nshell = true", "2:11", "one string", ""),
    ("[[task]]\ncommand = 'a'\nargs = [1]", "3:8", "`args` belongs to `function`", ""),
    ("[[task]]\nfunction = 'noop'\nstdin = 'f'", "2:12", "`stdin` belongs to a command", ""),
    ("[[task]]\nfunction = 'noop'\nargs = [[nan]]", "3:10", "no number that JSON can hold", ""),
    // Placeholders.
    ("[[task]]\ncommand = 'a {indx}'", "2:14", "unknown placeholder {indx}", "{index}"),
    ("[[task]]\ncommand = 'a {print}'", "2:14", "unknown placeholder", "{{print}}"),
    ("[[task]]\ncommand = 'a {index}'", "2:11", "not an array", "add `array`"),
    (
        "[[task]]\nname = 'b'\ncommand = 'a'\n[[task]]\ncommand = '{result.b}'",
        "5:12",
        "unknown placeholder {result.b}",
        "add \"b\" to `after`",
    ),
    ("[[task]]\nfunction = 'noop'\ntimeout = '{index}s'", "3:11", "no placeholder but", ""),
    ("[params]\nindex = 1\n[[task]]\nfunction = 'noop'", "2:1", "name of a parameter", ""),
    ("[params]\nx = [1]\n[[task]]\nfunction = 'noop'", "2:5", "`params`, `x`, must be", ""),
    // Amounts: nothing that is not more than zero.
    ("[[task]]\nfunction = 'noop'\ncpus = 0", "3:8", "`cpus` is 0; it must be a number", ""),
    ("[[task]]\nfunction = 'noop'\ncpus = -1.5", "3:8", "`cpus` is -1.5", ""),
    ("[[task]]\nfunction = 'noop'\nmemory = 0", "3:10", "`memory` is 0", ""),
    ("[[task]]\nfunction = 'noop'\nmemory = '4Gib/s'", "3:10", "4GiB, 512M", ""),
    ("[[task]]\nfunction = 'noop'\nweight = nan", "3:10", "`weight` is NaN", ""),
    ("[[task]]\nfunction = 'noop'\nweight = 0", "3:10", "`weight` is 0", ""),
    ("weight = -2\n[[task]]\nfunction = 'noop'", "1:10", "`weight` is -2", ""),
    ("[[task]]\nfunction = 'noop'\ntimeout = 0", "3:11", "`timeout` is 0", ""),
    ("[[task]]\nfunction = 'noop'\ntimeout = '0s'", "3:11", "not zero", ""),
    ("[[task]]\nfunction = 'noop'\ntimeout = '1x'", "3:11", "1h30m, 45s, 250ms", ""),
    ("[[task]]\nfunction = 'noop'\nretries = 1001", "3:11", "from 0 to 1000", ""),
    ("[[task]]\nfunction = 'noop'\nresources = { a = 0 }", "3:19", "`resources`, `a`, is 0", ""),
    ("[[task]]\nfunction = 'noop'\nresources = { gpus = 1 }", "3:15", "name of a resource", ""),
    ("[[task]]\nfunction = 'noop'\nkind = 'cpu'", "3:8", "must be one of compute,", ""),
    ("[[task]]\nfunction = 'noop'\nrun-if = 'failed'", "3:10", "`run-if` is `failed`", ""),
    (
        "[[task]]\nfunction = 'noop'\nbackoff = { base = '2m', max = '1s' }",
        "3:11",
        "less than `base`",
        "",
    ),
    (
        "[[task]]\nfunction = 'noop'\nlimit = { name = '', most = 1 }",
        "3:9",
        "the limit has no name",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\nlimit = { name = 'l', most = 1 }\n\
         [[task]]\nname = 'b'\nfunction = 'noop'\nlimit = { name = 'l', most = 2 }",
        "8:9",
        "the limit `l` is 2 here, and 1 before",
        "one `most` everywhere",
    ),
    ("[[task]]\nfunction = 'noop'\nlimit = { name = 'l', most = 0 }", "3:30", "`most` is 0", ""),
    ("[[task]]\nfunction = 'noop'\nbackoff = { bas = 1 }", "3:13", "unknown key `bas`", "`base`"),
    // Arrays.
    ("[[task]]\nfunction = 'noop'\narray = '5-1'", "3:9", "is empty", ""),
    ("[[task]]\nfunction = 'noop'\narray = 0", "3:9", "is empty", ""),
    ("[[task]]\nfunction = 'noop'\narray = '1,2'", "3:9", "is a list", ""),
    ("[[task]]\nfunction = 'noop'\narray = 1000000001", "3:9", "array_indices_max", ""),
    ("[[task]]\nfunction = 'noop'\narray = '0-1_000_000_000'", "3:9", "array_indices_max", ""),
    ("[[task]]\nfunction = 'noop'\narray = 2\neach-line = 'f'", "4:13", "only one of", ""),
    ("[[task]]\nfunction = 'noop'\neach-line = 'no-such'", "3:13", "cannot read no-such", ""),
    ("[[task]]\nfunction = 'noop'\neach-line = '/dev/null'", "3:13", "is empty", ""),
    ("[[task]]\nfunction = 'noop'\neach-file = 'no/such'", "3:13", "no file or directory", ""),
    ("[[task]]\nfunction = 'noop'\neach-file = 'src/*.nix'", "3:13", "no file matches", ""),
    ("[[task]]\nfunction = 'noop'\neach-file = { text = true }", "3:13", "`path` is missing", ""),
    // Names and dependencies.
    ("[[task]]\nname = 'a b'\nfunction = 'noop'", "2:8", "cannot be the name of a task", ""),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\n[[task]]\nname = 'a'\nfunction = 'noop'",
        "4:1",
        "already a task called `a`",
        "",
    ),
    (
        "[[task]]\nname = 'count'\nfunction = 'noop'\n[[task]]\nfunction = 'noop'\nafter = 'coutn'",
        "6:9",
        "no such task",
        "\"count\"",
    ),
    ("[[task]]\nname = 'a'\nfunction = 'noop'\nafter = ['a']", "4:10", "a -> a", ""),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\nafter = 'b'\n\
         [[task]]\nname = 'b'\nfunction = 'noop'\nafter = 'a'",
        "4:9",
        "a -> b -> a",
        "remove one",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\n[[task]]\nfunction = 'noop'\nafter = ['a', 'a']",
        "6:15",
        "names `a` twice",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\narray = 3\n\
         [[task]]\nfunction = 'noop'\narray = 4\nafter = { task = 'a', aligned = true }",
        "8:18",
        "this is an array of 4, `a` is an array of 3",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\narray = 3\n\
         [[task]]\nfunction = 'noop'\narray = 4\nafter = [{ task = 'a', aligned = true }]",
        "8:19",
        "this is an array of 4, `a` is an array of 3",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\n\
         [[task]]\nfunction = 'noop'\nafter = [{ task = 'a', aligned = true }]",
        "6:19",
        "this is no array, `a` is no array",
        "",
    ),
    // Reductions.
    ("[[task]]\nfunction = 'noop'\narray = 2\nreduce = 'SUM'", "4:10", "needs a name", ""),
    ("[[task]]\nname = 'a'\nfunction = 'noop'\nreduce = 'Sum'", "4:10", "`reduce` is `Sum`", ""),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\nreduce = 'CUSTOM'",
        "4:10",
        "needs one of `function` and `command`",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\nreduce = { op = 'SUM', weights = 'nodes' }",
        "4:34",
        "`weights` belongs to AVERAGE",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\narray = 3\n\
         reduce = { op = 'AVERAGE', weights = [1, 2] }",
        "5:38",
        "2 weights for 3 results",
        "",
    ),
    (
        "[[task]]\nname = 'a'\nfunction = 'noop'\narray = 2\n\
         reduce = { op = 'AVERAGE', weights = [0, 0] }",
        "5:38",
        "add up to zero",
        "",
    ),
    // Files.
    ("[[task]]\ncommand = 'a'\ninputs = ['/etc/hosts']", "3:11", "must lie below", "{ from ="),
    ("[[task]]\ncommand = 'a'\noutputs = [{ from = 'x' }]", "3:12", "`to` is missing", ""),
    ("[[task]]\ncommand = 'a'\nstdin = 'f'\nstdin-text = 'x'", "4:14", "only one of", ""),
    ("[[task]]\ncommand = 'a'\nenv = { 'A=B' = 'x' }", "3:9", "name of a variable", ""),
];

#[test]
fn every_fault_has_its_place_and_its_fix() {
    for (text, place, message, fix) in BAD {
        let faults = faults(text);
        let all: Vec<String> = faults.iter().map(Fault::to_string).collect();
        let all = all.join("\n");
        assert_eq!(faults.len(), 1, "one fault was expected:\n{text}\n{all}");
        let found = faults[0].place.as_ref().map(|at| format!("{}:{}", at.line, at.column));
        assert_eq!(found.unwrap_or_default(), *place, "{text}\n{all}");
        assert!(faults[0].message.contains(message), "{message}\n{all}");
        assert!(faults[0].fix.as_deref().unwrap_or_default().contains(fix), "{fix}\n{all}");
    }
}

#[test]
fn all_faults_are_reported_at_once_in_the_order_of_the_file() {
    let text = "cpsu = 1\n[[task]]\nname = 'a'\nfunction = 'nop'\ntimeout = 0\n\
                [[task]]\ncommand = 'x {nme}'\nafter = ['b']\n[params]\nname = 'x'\n";
    let faults = faults(text);
    let lines: Vec<usize> =
        faults.iter().filter_map(|fault| fault.place.as_ref().map(|place| place.line)).collect();
    assert_eq!(lines, [1, 4, 5, 7, 8]);
}

#[test]
fn a_fault_in_one_task_does_not_accuse_those_that_name_it() {
    let text = "[[task]]\nname = 'a'\narray = '9-1'\n\
                [[task]]\nfunction = 'noop'\narray = 2\nafter = [{ task = 'a', aligned = true }]";
    assert_eq!(faults(text).len(), 2, "the empty array and the missing command, no more");
}

#[test]
fn a_parameter_that_the_file_has_not_is_refused() {
    let text = "[params]\nsize = 1\n[[task]]\nfunction = 'noop'";
    let set = vec![("sise".to_owned(), "2".to_owned())];
    let options = ReadOptions { set, ..options() };
    let faults = read(text, Path::new("job.toml"), &options, &Disk).expect_err("it is unknown");
    let want = "--set sise: job.toml has no parameter `sise`\nhelp: did you mean size?";
    assert_eq!(faults.iter().map(Fault::to_string).collect::<Vec<_>>(), [want]);
}

#[test]
fn a_file_that_is_too_long_is_named_with_a_way_out() {
    let faults = faults(&"#".repeat((64 << 20) + 1));
    let (fault, fix) = (&faults[0], faults[0].fix.as_deref().unwrap_or_default());
    assert!(fault.message.ends_with("job_file_bytes_max = 67108864"), "{fault}");
    assert!(fix.contains("an array") && fix.contains("bary job add"), "{fault}");
}

#[test]
fn a_long_circle_is_shown_without_its_middle() {
    let task = |n: u32| {
        let before = if n == 0 { 9_999 } else { n - 1 };
        format!("[[task]]\nname = 't{n}'\nfunction = 'noop'\nafter = 't{before}'\n")
    };
    let text: String = (0..10_000).map(task).collect();
    let faults = faults(&text);
    let message = &faults[0].message;
    assert!(message.len() < 200, "{message}");
    assert!(message.contains(" -> ... -> ") && message.contains("(10000 tasks)"), "{message}");
}

#[test]
fn what_is_shown_holds_nothing_that_a_terminal_obeys() {
    let text = "[[task]]\nfunction = \"\\u001b[2J\"\nx\u{7f} = 1";
    for fault in read(text, Path::new("j"), &ReadOptions::default(), &Disk).expect_err("bad key") {
        let shown = fault.to_string();
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
}

#[test]
fn names_of_functions_are_free_where_they_are_not_known() {
    let text = "[[task]]\nfunction = 'mine'";
    assert!(read(text, Path::new("j"), &ReadOptions::default(), &Disk).is_ok());
    let none = ReadOptions { functions: Some(BTreeSet::new()), ..ReadOptions::default() };
    assert!(read(text, Path::new("j"), &none, &Disk).is_err());
}
