//! A formula's text in tokens, each with its place.

use crate::expression::fault::{ExpressionError, Problem};

/// A word or a sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    Sign(&'static str),
    End,
}

/// The signs, longer ones first where one begins with another.
const SIGNS: [&str; 14] =
    ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "^", "(", ")", ","];

/// The tokens of a text and where each begins, in bytes; the last is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, len) = if c.is_ascii_digit() || c == '.' {
            let len = number_len(rest);
            let number = rest[..len].parse().ok().filter(|number: &f64| number.is_finite());
            let wrong = || ExpressionError::new(text, at, Problem::Expected("a number"));
            (Token::Number(number.ok_or_else(wrong)?), len)
        } else if c.is_ascii_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let len = end.unwrap_or(rest.len());
            (Token::Name(rest[..len].to_owned()), len)
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let wrong = || ExpressionError::new(text, at, Problem::Character(c));
            let sign = sign.ok_or_else(wrong)?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push((at, token));
        at += len;
    }
    tokens.push((text.len(), Token::End));
    Ok(tokens)
}

/// How long the number is that a text begins with: digits, a point, an exponent.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes[from..].iter();
        from + rest.take_while(|b| b.is_ascii_digit() || **b == b'.').count()
    };
    let len = digits(0);
    if !matches!(bytes.get(len), Some(b'e' | b'E')) {
        return len;
    }
    let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
    let end = digits(len + 1 + sign);
    if end > len + 1 + sign { end } else { len }
}
