//! Conditions on the rows of a list, and the order in which they are listed: `state=failed`,
//! `name=al*`, `tag.team!=x`, `tasks>10`, `name~part`.

use std::cmp::Ordering;

use bary_api::problem::{Kind as Problem, Refused};
use bary_identity::calendar;
use bary_jobfile::suggest;

use crate::service::cell::{Cell, Cells, Kind, Place};

/// Conditions, all of which hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter(Vec<Condition>);

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    place: Place,
    operator: Operator,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Below,
    Above,
    AtMost,
    AtLeast,
    Contains,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(f64),
    Text(Box<str>),
    /// Parts of which a star stands between each two.
    Pattern(Vec<Box<str>>),
}

/// The operators, the longer ones first, so that none hides in another.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("<", Operator::Below),
    (">", Operator::Above),
    ("~", Operator::Contains),
];

/// How rows are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    place: Place,
    reverse: bool,
}

impl Filter {
    /// The filter that some texts mean for rows of this kind.
    pub(super) fn parse<R: Cells>(texts: &[String]) -> Result<Self, Refused> {
        texts.iter().map(|text| condition::<R>(text)).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row is meant.
    pub(super) fn takes<R: Cells>(&self, row: &R) -> bool {
        self.0.iter().all(|condition| condition.holds(row))
    }
}

impl Sort {
    /// The order that a text means for rows of this kind; as they come where it is empty.
    pub(super) fn parse<R: Cells>(text: &str) -> Result<Option<Self>, Refused> {
        if text.is_empty() {
            return Ok(None);
        }
        let (reverse, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        Ok(Some(Self { place: place::<R>(name)?, reverse }))
    }

    /// What a row is sorted by.
    pub(super) fn key<R: Cells>(&self, row: &R) -> Cell<'static> {
        self.place.of(row).owned()
    }

    /// Which of two rows comes first; nothing comes last either way.
    pub(super) fn order(&self, a: &Cell<'_>, b: &Cell<'_>) -> Ordering {
        let absent = |cell: &Cell<'_>| matches!(cell, Cell::Absent);
        if self.reverse && !absent(a) && !absent(b) { b.order(a) } else { a.order(b) }
    }
}

fn condition<R: Cells>(text: &str) -> Result<Condition, Refused> {
    let found = text.char_indices().find_map(|(at, _)| {
        let (sign, operator) = OPERATORS.iter().find(|(sign, _)| text[at..].starts_with(sign))?;
        Some((text[..at].trim(), *operator, text[at + sign.len()..].trim()))
    });
    let Some((name, operator, value)) = found else {
        let title = format!("`{text}` is no condition");
        return Err(invalid(title).help("write COLUMN=VALUE, with =, !=, <, >, <=, >= or ~"));
    };
    let place = place::<R>(name)?;
    let value = match (place.kind::<R>(), operator) {
        (Kind::Text, Operator::Is | Operator::IsNot) if value.contains('*') => {
            Value::Pattern(value.split('*').map(Into::into).collect())
        }
        (Kind::Text, _) | (_, Operator::Contains) => Value::Text(value.into()),
        (_, _) if value.is_empty() => Value::Text(value.into()),
        (Kind::Number, _) => Value::Number(number(name, value)?),
        (Kind::Time, _) => Value::Number(time(name, value)?),
    };
    Ok(Condition { place, operator, value })
}

/// The column, or the tag, that a name means.
fn place<R: Cells>(name: &str) -> Result<Place, Refused> {
    if let Some(tag) = name.strip_prefix("tag.") {
        return Ok(Place::Tag(tag.into()));
    }
    let names = || R::COLUMNS.iter().map(|(name, _)| *name);
    names().position(|column| column == name).map(Place::Column).ok_or_else(|| {
        let near = suggest::nearest(name, names());
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let columns = names().collect::<Vec<_>>().join(", ");
        invalid(format!("there is no column `{name}`")).help(format!("{near}There are {columns}"))
    })
}

fn number(name: &str, value: &str) -> Result<f64, Refused> {
    let value = match value {
        "true" => "1",
        "false" => "0",
        value => value,
    };
    let number = value.replace('_', "").parse().ok().filter(|number: &f64| !number.is_nan());
    number.ok_or_else(|| invalid(format!("`{value}` is no number, which `{name}` has")))
}

fn time(name: &str, value: &str) -> Result<f64, Refused> {
    let at = calendar::parse(value).map(|wall| wall.0 as f64 / 1e9);
    let wrong = || invalid(format!("`{value}` is no moment, which `{name}` has"));
    at.ok_or_else(|| wrong().help("write 2026-01-31T13:00:00Z"))
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Problem::Invalid, title)
}

impl Condition {
    fn holds<R: Cells>(&self, row: &R) -> bool {
        let cell = self.place.of(row);
        let compared = match (&cell, &self.value) {
            (Cell::Number(cell), Value::Number(value)) => cell.partial_cmp(value),
            (Cell::Text(cell), Value::Text(value)) => Some((**cell).cmp(&**value)),
            // Nothing is equal to the empty value.
            (Cell::Absent, Value::Text(value)) if value.is_empty() => Some(Ordering::Equal),
            _ => None,
        };
        match self.operator {
            Operator::Is => compared == Some(Ordering::Equal) || self.fits(&cell),
            Operator::IsNot => compared != Some(Ordering::Equal) && !self.fits(&cell),
            Operator::Below => compared == Some(Ordering::Less),
            Operator::Above => compared == Some(Ordering::Greater),
            Operator::AtMost => compared.is_some_and(Ordering::is_le),
            Operator::AtLeast => compared.is_some_and(Ordering::is_ge),
            Operator::Contains => match (&cell, &self.value) {
                (Cell::Text(cell), Value::Text(value)) => cell.contains(&**value),
                (Cell::Number(cell), Value::Text(value)) => cell.to_string().contains(&**value),
                _ => false,
            },
        }
    }

    /// Whether a text fits the pattern, where there is one.
    fn fits(&self, cell: &Cell<'_>) -> bool {
        let (Cell::Text(text), Value::Pattern(parts)) = (cell, &self.value) else { return false };
        let [first, between @ .., last] = parts.as_slice() else { return false };
        let Some(mut rest) = text.strip_prefix(&**first) else { return false };
        for part in between {
            let Some(at) = rest.find(&**part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(&**last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fruit(&'static str, Option<f64>);

    impl Cells for Fruit {
        const COLUMNS: &'static [(&'static str, Kind)] =
            &[("name", Kind::Text), ("weight", Kind::Number), ("ripe", Kind::Time)];

        fn cell(&self, column: usize) -> Cell<'_> {
            match column {
                0 => Cell::text(self.0),
                1 => Cell::number(self.1),
                _ => Cell::Absent,
            }
        }

        fn tag(&self, name: &str) -> Cell<'_> {
            if name == "colour" { Cell::text("red") } else { Cell::Absent }
        }
    }

    fn takes(text: &str) -> bool {
        let filter = Filter::parse::<Fruit>(&[text.to_owned()]).expect("it is a condition");
        filter.takes(&Fruit("apple", Some(2.5)))
    }

    #[test]
    fn conditions_hold_as_they_say() {
        let hold = [
            "name=apple",
            "name!=pear",
            "name=a*e",
            "name=*",
            "name=a*p*e",
            "name~ppl",
            "name<b",
            "weight>2",
            "weight<=2.5",
            "weight=2.5",
            "weight!=3",
            "ripe=",
            "tag.colour=red",
            "tag.size=",
            "tag.colour=r*",
        ];
        let fail = [
            "name=pear",
            "name!=apple",
            "name=a*x",
            "name=apple*e",
            "name!=a*",
            "weight>2.5",
            "weight<2",
            "ripe>2026-01-01T00:00:00Z",
            "tag.size=x",
            "name~x",
        ];
        for text in hold {
            assert!(takes(text), "{text}");
        }
        for text in fail {
            assert!(!takes(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_with_what_there_is() {
        let told = |text: &str| {
            let refused = Filter::parse::<Fruit>(&[text.to_owned()]).expect_err("it is wrong");
            format!("{} {}", refused.title, refused.help)
        };
        assert!(told("nmae=x").contains("did you mean `name`? There are name, weight, ripe"));
        assert!(told("apple").contains("COLUMN=VALUE"));
        assert!(told("weight=heavy").contains("no number"));
        assert!(told("ripe>soon").contains("2026-01-31T13:00:00Z"));
        assert!(Sort::parse::<Fruit>("-size").is_err());
    }

    #[test]
    fn nothing_sorts_last_either_way() {
        let fruit = [Fruit("a", Some(2.0)), Fruit("b", None), Fruit("c", Some(1.0))];
        let sorted = |text: &str| {
            let sort = Sort::parse::<Fruit>(text).expect("a column").expect("it is not empty");
            let mut keys: Vec<_> = fruit.iter().map(|row| (sort.key(row), row.0)).collect();
            keys.sort_by(|a, b| sort.order(&a.0, &b.0));
            keys.into_iter().map(|(_, name)| name).collect::<String>()
        };
        assert_eq!((sorted("weight"), sorted("-weight")), ("cab".into(), "acb".into()));
        assert_eq!(sorted("-name"), "cba");
    }
}
