//! What templates stand for, with the examples of GNU parallel's manual where it has some.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::{any, prop_assert_eq, proptest};

use crate::inputs::{Column, Grouping, Inputs};
use crate::template::parse::{Dialect, Named};
use crate::template::{Scope, Template};

fn column(words: &[&str]) -> Vec<Column> {
    vec![Column::Lines(Arc::new(words.iter().collect()))]
}

fn inputs(groups: Vec<Vec<Column>>, grouping: Grouping) -> Inputs {
    Inputs::new(groups, grouping).expect("the sources are good")
}

fn loose(text: &str) -> Template {
    Template::parse(text.as_bytes(), Dialect::Loose, &mut |_| None).expect("loose refuses nothing")
}

fn strict(text: &str) -> Template {
    let mut names = |word: &str| match word {
        "dir" => Some(Named::Text(b"a/b.c".to_vec())),
        "result.up" => Some(Named::Result("up".into())),
        _ => None,
    };
    Template::parse(text.as_bytes(), Dialect::Strict, &mut names).expect("its words are known")
}

fn scope(inputs: &Inputs, row: u64) -> Scope<'_> {
    Scope {
        row: inputs.row(row),
        index: row,
        sequence: row + 1,
        slot: 3,
        attempt: 2,
        upstream: &[],
    }
}

fn expand(template: &Template, scope: &Scope<'_>) -> String {
    String::from_utf8_lossy(&template.expand(scope)).into_owned()
}

fn words(argv: &[&str], scope: &Scope<'_>) -> Vec<String> {
    let argv: Vec<Template> = argv.iter().map(|word| loose(word)).collect();
    let words = Template::expand_argv(&argv, scope);
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[test]
fn one_source_as_in_the_manual_of_gnu_parallel() {
    let inputs = inputs(vec![column(&["sub.dir/foo.jpg"])], Grouping::Single);
    let scope = scope(&inputs, 0);
    let cases = [
        ("{}", "sub.dir/foo.jpg"),
        ("{.}", "sub.dir/foo"),
        ("{/}", "foo.jpg"),
        ("{//}", "sub.dir"),
        ("{/.}", "foo"),
        ("{#}-{%}", "1-3"),
        ("{file/.}.png", "foo.png"),
        ("{line} {1} {-1}", "sub.dir/foo.jpg sub.dir/foo.jpg sub.dir/foo.jpg"),
        ("{index} {attempt}", "0 2"),
        ("x{2}{-2}y", "xy"),
    ];
    for (text, want) in cases {
        assert_eq!(expand(&loose(text), &scope), want, "{text}");
    }
}

#[test]
fn several_sources_have_positions() {
    let sources = vec![column(&["a.x", "b.x"]), column(&["d/1"]), column(&["l"])];
    let inputs = inputs(sources, Grouping::Single);
    let scope = scope(&inputs, 1);
    assert_eq!(expand(&loose("{1.}+{2/}={-1} {2//}"), &scope), "b+1=l d");
    assert_eq!(words(&["echo", "{}", "<{}>"], &scope), ["echo", "b.x", "d/1", "l", "<b.x d/1 l>"]);
}

#[test]
fn what_is_no_placeholder_stays() {
    let inputs = Inputs::none();
    let scope = scope(&inputs, 0);
    for text in
        ["{print $1}", "{\"a\": {\"b\": 1}}", "${HOME} ${1}", "a{1,2}{a..b}", "{", "}{", "{0}"]
    {
        assert_eq!(expand(&loose(text), &scope), text);
        assert_eq!(expand(&strict(text), &scope), text);
        assert!(loose(text).is_literal(), "{text}");
    }
    assert_eq!(expand(&loose("{print} {{x}}"), &scope), "{print} {{x}}");
}

#[test]
fn the_strict_dialect_refuses_unknown_words_and_has_an_escape() {
    let parse = |text: &str| Template::parse(text.as_bytes(), Dialect::Strict, &mut |_| None);
    let error = parse("ab {indx}").expect_err("the word is unknown");
    assert_eq!((error.at, error.to_string().as_str()), (3, "unknown placeholder {indx}"));
    assert_eq!(error.fix(), "write {{indx}} for these letters with their braces");
    assert!(parse("{attempt/}").is_err(), "a number has no base name");
    let inputs = inputs(vec![column(&["v"])], Grouping::Single);
    let scope = scope(&inputs, 0);
    assert_eq!(expand(&strict("{{indx}} {{}} {{1.}} {{#}}"), &scope), "{indx} {} {1.} {#}");
    assert_eq!(expand(&strict("{\"a\": {}}"), &scope), "{\"a\": v}");
}

#[test]
fn names_are_texts_or_results() {
    let inputs = Inputs::none();
    let upstream = [(Box::from("up"), Bytes::from_static(b"42"))];
    let scope = Scope { upstream: &upstream, ..scope(&inputs, 0) };
    let template = strict("{dir}:{dir/.}:{result.up}");
    assert_eq!(expand(&template, &scope), "a/b.c:b:42");
    assert_eq!(template.results().collect::<Vec<_>>(), ["up"]);
    assert_eq!(strict("{dir}").literal_bytes(), Some(b"a/b.c".as_slice()));
    assert_eq!(expand(&Template::result("down"), &scope), "");
}

#[test]
fn an_array_knows_its_own_numbers() {
    let inputs = Inputs::numbers(10, 5, 3).expect("the range is good");
    assert_eq!(expand(&loose("{index} {} {#}"), &scope(&inputs, 2)), "20 20 3");
    assert!(loose("{index}").reads_row());
    assert!(!loose("{#} {attempt} x").reads_row());
}

#[test]
fn a_grouped_row_gives_many_words() {
    let inputs = inputs(vec![column(&["a", "b b", "c", "d"])], Grouping::Every(3));
    let scope = scope(&inputs, 0);
    assert_eq!(words(&["ls", "{}"], &scope), ["ls", "a", "b b", "c"]);
    assert_eq!(words(&["ls", "x{}y", "z"], &scope), ["ls", "xay", "xb by", "xcy", "z"]);
    assert_eq!(words(&["1={1}", "3={3}", "{-1}"], &scope), ["1=a", "3=c", "c"]);
    assert_eq!(expand(&loose("{}"), &scope), "a b b c");
    let last = self::scope(&inputs, 1);
    assert_eq!(words(&["ls", "{}", "{2}", "<{2}>"], &last), ["ls", "d", "<>"]);
}

#[test]
fn grouped_records_of_several_columns_stay_together() {
    let sources = vec![column(&["a", "b"]), column(&["1", "2"])];
    let inputs = inputs(sources, Grouping::Every(2));
    let scope = scope(&inputs, 1);
    assert_eq!(
        words(&["{1}-{2}", "{2}", "{}"], &scope),
        ["b-1", "b-2", "1", "2", "b", "1", "b", "2"]
    );
}

#[test]
fn a_shell_sees_each_value_as_one_word() {
    let names = ["it's", "a b", "$(x)\n", "", "plain/name.txt"];
    let inputs = inputs(vec![column(&names)], Grouping::Every(5));
    let template = loose("wc {} > '{print}'").for_shell();
    let want = "wc 'it'\\''s' 'a b' '$(x)\n' '' plain/name.txt > '{print}'";
    assert_eq!(expand(&template, &scope(&inputs, 0)), want);
    assert_eq!(Template::expand_argv(&[template], &scope(&inputs, 0)).len(), 1);
    let inside = loose("wc '{}' \"{1}\"").for_shell();
    let want = "wc 'it'\\''s a b $(x)\n  plain/name.txt' \"it's\"";
    assert_eq!(expand(&inside, &scope(&inputs, 0)), want);
}

#[test]
fn a_value_stays_inside_its_json_string() {
    let inputs = inputs(vec![column(&["a\"b\\\n"])], Grouping::Single);
    let template = loose("\"x{}y\"").for_json();
    assert_eq!(expand(&template, &scope(&inputs, 0)), "\"xa\\\"b\\\\\\u000ay\"");
}

#[test]
fn a_plain_task_has_no_values() {
    let inputs = Inputs::none();
    assert_eq!(words(&["echo", "{}", "<{}>"], &scope(&inputs, 0)), ["echo", "<>"]);
    assert_eq!(Template::literal("").literal_bytes(), Some(b"".as_slice()));
}

proptest! {
    #[test]
    fn any_bytes_can_be_a_loose_template_and_a_value(text: Vec<u8>, value: Vec<u8>) {
        let template = Template::parse(&text, Dialect::Loose, &mut |_| None);
        let template = template.expect("loose refuses nothing");
        let lines = Column::Lines(Arc::new([&value].into_iter().collect()));
        let inputs = inputs(vec![vec![lines]], Grouping::Single);
        let got = template.expand(&scope(&inputs, 0));
        if template.is_literal() {
            prop_assert_eq!(&got, &text);
        }
        prop_assert_eq!(Template::values().expand(&scope(&inputs, 0)), value);
    }

    #[test]
    fn no_text_makes_the_strict_dialect_panic(text in "[{}a-c0-9#%./$ -]{0,30}", known: bool) {
        let mut names = |_: &str| known.then(|| Named::Text(b"t".to_vec()));
        if let Err(error) = Template::parse(text.as_bytes(), Dialect::Strict, &mut names) {
            prop_assert_eq!(text.as_bytes()[error.at], b'{');
        }
    }

    #[test]
    fn a_quoted_value_is_one_word_again(value in any::<String>()) {
        let lines = Column::Lines(Arc::new([&value].into_iter().collect()));
        let inputs = inputs(vec![vec![lines]], Grouping::Single);
        let quoted = expand(&Template::values().for_shell(), &scope(&inputs, 0));
        let unquoted = quoted.replace("'\\''", "\u{0}").replace('\'', "").replace('\u{0}', "'");
        prop_assert_eq!(unquoted, value.replace('\u{0}', "'"));
    }
}
