//! SPDX licence expressions: read, and held against a list of licences that are welcome.
//! The old slash form (`MIT/Apache-2.0`) counts as `OR`.

/// A licence expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One licence, with its exception where it has one.
    Licence(String),
    /// All of them hold at once.
    All(Vec<Self>),
    /// The taker chooses one.
    Any(Vec<Self>),
}

impl Expression {
    /// Reads an expression; the error names the word that does not fit.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut reader = Reader { words: &words };
        let expression = reader.any()?;
        match reader.words {
            [] => Ok(expression),
            [word, ..] => Err(format!("`{word}` does not fit in `{text}`")),
        }
    }

    /// Whether the licences in `welcome` are enough to take what is under this expression.
    pub(crate) fn is_satisfied_by(&self, welcome: &[&str]) -> bool {
        match self {
            Self::Licence(name) => welcome.contains(&name.as_str()),
            Self::All(parts) => parts.iter().all(|part| part.is_satisfied_by(welcome)),
            Self::Any(parts) => parts.iter().any(|part| part.is_satisfied_by(welcome)),
        }
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
}

impl<'a> Reader<'a> {
    /// `AND` binds closer than `OR`.
    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take("OR") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.licence()?];
        while self.take("AND") {
            parts.push(self.licence()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn licence(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") { Ok(inner) } else { Err("`)` is missing".into()) };
        }
        let name = self.name()?;
        if self.take("WITH") {
            return Ok(Expression::Licence(format!("{name} WITH {}", self.name()?)));
        }
        Ok(Expression::Licence(name.to_owned()))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        let (word, rest) = self.words.split_first().ok_or("it ends too early")?;
        if matches!(*word, "OR" | "AND" | "WITH" | "(" | ")") {
            return Err(format!("`{word}` stands where a licence should"));
        }
        self.words = rest;
        Ok(word)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    const WELCOME: &[&str] = &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"];

    #[test]
    fn expressions_are_held_against_the_list() {
        let table = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT/GPL-3.0-only", true),
            ("GPL-3.0-only OR MIT", true),
            ("Apache-2.0 AND ISC", true),
            ("Apache-2.0 AND GPL-3.0-only", false),
            ("GPL-3.0-only AND ISC OR MIT", true),
            ("GPL-3.0-only AND (ISC OR MIT)", false),
            ("(MIT OR Apache-2.0) AND ISC", true),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("MIT WITH LLVM-exception", false),
        ];
        for (text, wanted) in table {
            let expression = Expression::parse(text).expect("the table's texts are well formed");
            assert_eq!(expression.is_satisfied_by(WELCOME), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "MIT OR", "MIT Apache-2.0", "(MIT", "MIT)", "AND MIT", "MIT WITH"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn and_binds_closer_than_or() {
        let name = |text: &str| Expression::Licence(text.to_owned());
        let wanted = Expression::Any(vec![
            name("A"),
            Expression::All(vec![name("B"), name("C")]),
            name("D"),
        ]);
        assert_eq!(Expression::parse("A OR B AND C OR D"), Ok(wanted));
    }
}
