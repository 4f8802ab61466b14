//! As much of Markdown as links need: headings, link targets, and where code stands.

use std::collections::BTreeMap;

/// One link of a Markdown text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its line, counted from 1.
    pub(crate) line: usize,
    /// Where it leads, as written.
    pub(crate) target: String,
}

/// The links of `text`: inline ones, images, definitions, and HTML's `href` and `src`.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, prose) in prose(text) {
        let prose = without_code(prose);
        let inline = prose.split("](").skip(1).map(inline_target);
        let definition = definition(&prose).into_iter();
        let html = ["href=\"", "src=\""].into_iter().flat_map(|attribute| {
            prose.split(attribute).skip(1).filter_map(|rest| rest.split('"').next())
        });
        let targets = inline.chain(definition).chain(html).filter(|target| !target.is_empty());
        links.extend(targets.map(|target| Link { line, target: target.to_owned() }));
    }
    links
}

/// The anchors of `text`: its headings as GitHub names them, and HTML's `id`.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = Vec::new();
    for (_, line) in prose(text) {
        let ids = line.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        anchors.extend(ids.map(str::to_owned));
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        if !(1..=6).contains(&level) || !heading.starts_with(' ') {
            continue;
        }
        let slug = slug(heading.trim());
        let times = seen.entry(slug.clone()).or_insert(0);
        anchors.push(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

fn slug(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let letters = heading.chars().filter(kept).flat_map(char::to_lowercase);
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// The lines outside fenced code, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, None) => lines.push((index + 1, line)),
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
        }
    }
    lines
}

/// The line with code between backticks taken out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The target at the start of what follows `](`; a title after it is left off.
fn inline_target(rest: &str) -> &str {
    if let Some(bracketed) = rest.strip_prefix('<') {
        return bracketed.split('>').next().unwrap_or(bracketed);
    }
    rest.split([')', ' ']).next().unwrap_or(rest)
}

/// The target of a line such as `[name]: target`.
fn definition(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    let footnote = name.starts_with('^') || name.contains(']');
    if footnote { None } else { rest.split_whitespace().next() }
}

#[cfg(test)]
mod tests {
    use super::{anchors, links};

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_of_every_form_are_found() {
        let text = "[a](b.md) and ![c](d.png \"title\") and [e](<f g.md>)\n[h]: i.md\n\
                    <a href=\"j.md\"><img src=\"k.svg\"></a>\n";
        assert_eq!(targets(text), ["b.md", "d.png", "f g.md", "i.md", "j.md", "k.svg"]);
        assert_eq!(links(text)[3].line, 2);
    }

    #[test]
    fn code_holds_no_links() {
        let text = "`[a](b.md)` x\n```\n[c](d.md)\n```\n[e](f.md)\n";
        assert_eq!(targets(text), ["f.md"]);
    }

    #[test]
    fn headings_become_anchors() {
        let text = "# One idea: `it`!\n## A b\n## A b\n#no\n```\n# code\n```\n<a id=\"x\"></a>\n";
        assert_eq!(anchors(text), ["one-idea-it", "a-b", "a-b-1", "x"]);
    }
}
