//! Makes requests of what came over HTTP: path, query and body together are one message, as
//! [`crate::verb::Route`] says. What is wrong is told with the name of the field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::problem::{Kind, Refused};
use crate::shape::{Call, Field, Form, Message, Times};
use crate::verb::{Route, Row};

/// The parts of an HTTP request that say what is asked.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The parameters of the path by name, decoded.
    pub path: &'a [(String, String)],
    /// The parameters of the query by name, decoded, in order.
    pub query: &'a [(String, String)],
    /// The body; empty stands for an empty object.
    pub body: &'a [u8],
}

/// The request that a verb's route and its parts make. `T` is the verb's message.
///
/// # Errors
/// [`Kind::Invalid`] where they make none; the title names the field.
pub fn request<T: DeserializeOwned>(
    row: &Row,
    route: &Route,
    parts: Parts<'_>,
) -> Result<T, Refused> {
    let call = Call::of(row.grpc);
    let message = call.and_then(|call| Message::of(call.request));
    let message = message.ok_or_else(|| Refused::new(Kind::NotFound, "there is no such call"))?;
    let mut fields = if route.method.has_body() {
        if let Some((name, _)) = parts.query.first() {
            return Err(invalid(format!("`{name}` is no query parameter here"))
                .help("its fields go into the body, as JSON"));
        }
        body(parts.body)?
    } else {
        Map::new()
    };
    check_object(message, &fields, "")?;
    for (name, text) in parts.path {
        let field = known(message, name, name)?;
        if fields.insert(name.clone(), listed(field, text)?).is_some() {
            return Err(invalid(format!("`{name}` is in the path and in the body")));
        }
    }
    for (name, text) in parts.query {
        let field = known(message, name, name)?;
        let value = scalar(field, text)?;
        match (fields.get_mut(name), field.times) {
            (Some(Value::Array(list)), Times::Many) if !in_path(route, name) => list.push(value),
            (Some(_), _) => return Err(invalid(format!("`{name}` is there twice"))),
            (None, Times::Many) => drop(fields.insert(name.clone(), Value::Array(vec![value]))),
            (None, _) => drop(fields.insert(name.clone(), value)),
        }
    }
    T::deserialize(Value::Object(fields)).map_err(|cause| invalid(cause.to_string()))
}

fn in_path(route: &Route, name: &str) -> bool {
    route.params().any(|param| param == name)
}

fn invalid(title: String) -> Refused {
    Refused::new(Kind::Invalid, title)
}

fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(invalid("the body must be a JSON object".to_owned())),
        Err(cause) => Err(invalid(format!("the body is no JSON: {cause}"))),
    }
}

/// A value of the path; a list has commas.
fn listed(field: &Field, text: &str) -> Result<Value, Refused> {
    match field.times {
        Times::Many => text.split(',').map(|one| scalar(field, one)).collect(),
        _ => scalar(field, text),
    }
}

/// One value that is written as text.
fn scalar(field: &Field, text: &str) -> Result<Value, Refused> {
    let value = match field.form {
        _ if field.times == Times::Map => None,
        Form::Bool => text.parse().ok().map(Value::Bool),
        Form::Int32 => text.parse::<i32>().ok().map(Value::from),
        Form::Uint32 => text.parse::<u32>().ok().map(Value::from),
        Form::Uint64 => text.parse::<u64>().ok().map(Value::from),
        Form::Double => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        Form::Text => Some(Value::from(text)),
        Form::Bytes | Form::Message(_) => None,
    };
    value.ok_or_else(|| wrong(field, field.name))
}

fn known(message: &Message, name: &str, at: &str) -> Result<&'static Field, Refused> {
    message.field(name).ok_or_else(|| {
        let names: Vec<&str> = message.fields.iter().map(|field| field.name).collect();
        invalid(format!("`{at}` is not known")).help(match names.as_slice() {
            [] => "nothing may be said here".to_owned(),
            names => format!("there are {}", names.join(", ")),
        })
    })
}

fn wrong(field: &Field, at: &str) -> Refused {
    let wanted = match field.form {
        Form::Bool => "true or false",
        Form::Int32 => "a whole number from -2147483648 to 2147483647",
        Form::Uint32 => "a whole number from 0 to 4294967295",
        Form::Uint64 => "a whole number from 0 to 18446744073709551615",
        Form::Double => "a number",
        Form::Text => "text",
        Form::Bytes => "bytes as base64 text",
        Form::Message(_) => "an object",
    };
    invalid(format!("`{at}` must be {wanted}"))
}

fn check_object(
    message: &Message,
    object: &Map<String, Value>,
    within: &str,
) -> Result<(), Refused> {
    for (name, value) in object {
        let at = format!("{within}{name}");
        let field = known(message, name, &at)?;
        match (field.times, value) {
            (Times::Many, Value::Array(list)) => {
                for (n, value) in list.iter().enumerate() {
                    check(field, value, || format!("{at}[{n}]"))?;
                }
            }
            (Times::Many, _) => return Err(invalid(format!("`{at}` must be a list"))),
            (Times::Map, Value::Object(map)) => {
                for (key, value) in map {
                    check(field, value, || format!("{at}.{key}"))?;
                }
            }
            (Times::Map, _) => return Err(invalid(format!("`{at}` must be an object"))),
            (Times::One | Times::Optional, value) => check(field, value, || at)?,
        }
    }
    Ok(())
}

fn check(field: &Field, value: &Value, at: impl FnOnce() -> String) -> Result<(), Refused> {
    let good = match field.form {
        Form::Bool => value.is_boolean(),
        Form::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Form::Uint32 => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        Form::Uint64 => value.is_u64(),
        Form::Double => value.is_number(),
        Form::Text | Form::Bytes => value.is_string(),
        Form::Message(name) => {
            let inside = Message::of(name).zip(value.as_object());
            return match inside {
                Some((message, object)) => check_object(message, object, &format!("{}.", at())),
                None => Err(wrong(field, &at())),
            };
        }
    };
    if good { Ok(()) } else { Err(wrong(field, &at())) }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::{Parts, request};
    use crate::problem::{Kind, Refused};
    use crate::v1::submit_request::Job;
    use crate::v1::{CancelRequest, EventsRequest, ListJobsRequest, SubmitRequest, WhyRequest};
    use crate::verb::Verb;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    fn bound<T: DeserializeOwned>(
        verb: Verb,
        path: &[(&str, &str)],
        query: &[(&str, &str)],
        body: &str,
    ) -> Result<T, Refused> {
        let row = verb.row();
        let suits = |route: &&crate::verb::Route| route.params().count() == path.len();
        let route = row.http.iter().find(suits).expect("it has such a route");
        let (path, query) = (pairs(path), pairs(query));
        request(row, route, Parts { path: &path, query: &query, body: body.as_bytes() })
    }

    #[test]
    fn path_query_and_body_make_one_message() {
        let why: WhyRequest =
            bound(Verb::Why, &[("job", "7"), ("task", "a,b[1]")], &[], "").expect("it is whole");
        assert_eq!((why.job, why.task.as_str()), (7, "a,b[1]"));

        let query = [("filter", "state=failed"), ("limit", "5"), ("filter", "name=a,b")];
        let list: ListJobsRequest = bound(Verb::ListJobs, &[], &query, "").expect("it is whole");
        assert_eq!((list.filter, list.limit), (vec!["state=failed".into(), "name=a,b".into()], 5));

        let cancel: CancelRequest =
            bound(Verb::Cancel, &[("jobs", "1,20")], &[], r#"{"keep_running":true}"#)
                .expect("it is whole");
        assert_eq!((cancel.jobs, cancel.keep_running), (vec![1, 20], true));

        let submit: SubmitRequest =
            bound(Verb::Submit, &[], &[], r#"{"tasks":{"function":"noop","inputs":["YQ=="]}}"#)
                .expect("it is whole");
        let Some(Job::Tasks(tasks)) = submit.job else { panic!("it has tasks") };
        assert_eq!(tasks.inputs, ["a"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let of = |result: Result<CancelRequest, Refused>| result.expect_err("it is wrong").title;
        let cancel = |body: &str| of(bound(Verb::Cancel, &[("jobs", "1")], &[], body));
        assert_eq!(cancel(r#"{"jobs":[2]}"#), "`jobs` is in the path and in the body");
        assert_eq!(cancel(r#"{"reson":""}"#), "`reson` is not known");
        assert_eq!(cancel(r#"{"reason":null}"#), "`reason` must be text");
        assert_eq!(cancel("[]"), "the body must be a JSON object");
        assert!(cancel("{").starts_with("the body is no JSON: "));
        let path = of(bound(Verb::Cancel, &[("jobs", "1,,2")], &[], ""));
        assert_eq!(path, "`jobs` must be a whole number from 0 to 4294967295");
        let query = of(bound(Verb::Cancel, &[("jobs", "1")], &[("reason", "")], ""));
        assert_eq!(query, "`reason` is no query parameter here");
    }

    #[test]
    fn a_wrong_field_deep_inside_is_named_with_its_way() {
        let cases = [
            (r#"{"tasks":{"retries":-1}}"#, "`tasks.retries` must be a whole number from 0"),
            (r#"{"tasks":{"command":["a",1]}}"#, "`tasks.command[1]` must be text"),
            (r#"{"tasks":{"env":{"A":1}}}"#, "`tasks.env.A` must be text"),
            (r#"{"tasks":{"env":[]}}"#, "`tasks.env` must be an object"),
            (r#"{"tasks":{"timeout":"1s"}}"#, "`tasks.timeout` must be a number"),
            (r#"{"tasks":[]}"#, "`tasks` must be an object"),
            (r#"{"after":3}"#, "`after` must be a list"),
            (r#"{"file":"","spec":""}"#, "only one of `spec`, `file`, `tasks` may be there"),
            (r#"{"spec":"%"}"#, "no base64"),
        ];
        for (body, wanted) in cases {
            let result: Result<SubmitRequest, Refused> = bound(Verb::Submit, &[], &[], body);
            let refused = result.expect_err("it is wrong");
            assert_eq!(refused.kind, Kind::Invalid);
            assert!(refused.title.contains(wanted), "{body}: {}", refused.title);
        }
    }

    #[test]
    fn a_query_is_strict_too() {
        let events = |query: &[(&str, &str)]| {
            bound::<EventsRequest>(Verb::Events, &[], query, "").map_err(|refused| refused.title)
        };
        assert!(events(&[("follow", "true"), ("after", "18446744073709551615")]).is_ok());
        for wrong in [("follow", "yes"), ("after", "-1"), ("jobs", "1,2"), ("job", "1")] {
            assert!(events(&[wrong]).is_err(), "{wrong:?}");
        }
        let twice = events(&[("after", "1"), ("after", "1")]).expect_err("it is wrong");
        assert_eq!(twice, "`after` is there twice");
        let jobs = bound::<ListJobsRequest>(Verb::ListJobs, &[("jobs", "1")], &[("jobs", "2")], "");
        assert_eq!(jobs.expect_err("it is wrong").title, "`jobs` is there twice");
    }
}
