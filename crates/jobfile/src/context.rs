//! What the reading of one file has at hand: its source, the values of its parameters, the
//! caller's files and functions, and the faults found so far.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use bary_model::template::Template;
use bary_model::template::parse::{Dialect, Named, known_words};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{Fault, Place};
use crate::files::Files;
use crate::limits;
use crate::read::ReadOptions;
use crate::suggest;

/// A value with its place.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;
/// A table of values.
pub(crate) type Table<'i> = DeTable<'i>;

/// The prefix of the words that read results.
const RESULT: &str = "result.";

pub(crate) struct Context<'a> {
    pub(crate) source: &'a str,
    pub(crate) path: &'a Path,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) functions: Option<&'a BTreeSet<String>>,
    pub(crate) files: &'a dyn Files,
    pub(crate) base: &'a Path,
    pub(crate) faults: Vec<(usize, Fault)>,
    /// The tasks whose results may be read just now: those in `after`.
    pub(crate) readable: BTreeSet<String>,
    /// Those that were.
    pub(crate) results_read: BTreeSet<String>,
    /// How many tasks each limit allows, as the first task that names it says.
    pub(crate) limits: BTreeMap<String, u32>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        source: &'a str,
        path: &'a Path,
        options: &'a ReadOptions,
        files: &'a dyn Files,
    ) -> Self {
        Self {
            source,
            path,
            params: BTreeMap::new(),
            functions: options.functions.as_ref(),
            files,
            base: &options.base,
            faults: Vec::new(),
            readable: BTreeSet::new(),
            results_read: BTreeSet::new(),
            limits: BTreeMap::new(),
        }
    }

    /// Notes a fault at a span of the source.
    pub(crate) fn fault(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.fault_with_fix(span, message, None);
    }

    /// Notes a fault at a span of the source, with what to write instead.
    pub(crate) fn fault_with_fix(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        fix: Option<String>,
    ) {
        if self.faults.len() as u64 >= limits::FAULTS_MAX {
            return;
        }
        let path = self.path.display().to_string();
        let place = Some(Place::of(self.source, span.clone()));
        self.faults.push((span.start, Fault { path, place, message: message.into(), fix }));
    }

    /// A string as a template; `None`, with a fault noted, where it names unknown things.
    pub(crate) fn template(&mut self, value: &Value<'_>) -> Option<Template> {
        let text = value.get_ref().as_str()?;
        self.template_of(text, value.span(), &|text| text.to_owned())
    }

    /// As [`Context::template`], for a text that was taken out of a string at `span`. Values of
    /// parameters are passed through `escape`.
    pub(crate) fn template_of(
        &mut self,
        text: &str,
        span: Range<usize>,
        escape: &dyn Fn(&str) -> String,
    ) -> Option<Template> {
        let mut read = Vec::new();
        let (params, readable) = (&self.params, &self.readable);
        let mut names = |word: &str| {
            if let Some(value) = params.get(word) {
                return Some(Named::Text(escape(value).into_bytes()));
            }
            let name = word.strip_prefix(RESULT).filter(|name| readable.contains(*name))?;
            read.push(name.to_owned());
            Some(Named::Result(name.into()))
        };
        match Template::parse(text.as_bytes(), Dialect::Strict, &mut names) {
            Ok(template) => {
                self.results_read.extend(read);
                Some(template)
            }
            Err(error) => {
                let place = self.place_in(span, &format!("{{{}}}", error.word));
                let fix = self.fix_for(&error.word).unwrap_or_else(|| error.fix());
                self.fault_with_fix(place, error.to_string(), Some(fix));
                None
            }
        }
    }

    /// A string whose only placeholders are parameters; a fault where it reads others.
    pub(crate) fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let template = self.template(value)?;
        match template.literal_bytes() {
            Some(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            None => {
                self.fault_with_fix(
                    value.span(),
                    "only parameters can stand here, not what differs from task to task",
                    Some("write the value itself, or a name of [params] in braces".into()),
                );
                None
            }
        }
    }

    /// Where in the source of a string a part of it stands; the string where it is escaped.
    fn place_in(&self, span: Range<usize>, part: &str) -> Range<usize> {
        let source = self.source.get(span.clone()).unwrap_or_default();
        match source.find(part) {
            Some(at) => span.start + at..span.start + at + part.len(),
            None => span,
        }
    }

    fn fix_for(&self, word: &str) -> Option<String> {
        if let Some(name) = word.strip_prefix(RESULT) {
            return Some(match suggest::nearest(name, self.readable.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {{result.{near}}}?"),
                None => format!("add \"{name}\" to `after` to read its result"),
            });
        }
        let param = suggest::nearest(word, self.params.keys().map(String::as_str));
        let near = param.or_else(|| suggest::nearest(word, known_words()))?;
        Some(format!("did you mean {{{near}}}? For the letters themselves write {{{{{word}}}}}"))
    }
}
