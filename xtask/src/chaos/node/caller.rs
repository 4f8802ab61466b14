//! A caller in a process of its own, through which a storm asks over gRPC as it asks over HTTP.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::chaos::node::crew::Crew;
use crate::door::{Answer, Unanswered};

/// A caller at the gRPC door of one node. It ends when this is dropped.
pub(crate) struct Caller {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Caller {
    pub(crate) fn start(crew: &Crew) -> Result<Self, String> {
        let mut command = Command::new(&crew.caller);
        command.arg(&crew.address).arg(&crew.token);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|cause| format!("a caller: {cause}"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(answers)) => {
                Ok(Self { child, requests, answers: BufReader::new(answers) })
            }
            _ => Err("a pipe to a caller is missing".to_owned()),
        }
    }

    /// Asks for something; a job is submitted on a session where that is wanted.
    ///
    /// # Errors
    /// Where the process is at fault rather than the node.
    pub(crate) fn ask(
        &mut self,
        (method, path, body): (&str, &str, Option<&Value>),
        session: bool,
    ) -> Result<Result<Answer, Unanswered>, String> {
        let request = json!({ "method": method, "path": path, "body": body, "session": session });
        let mut line = String::new();
        let talked = writeln!(self.requests, "{request}")
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.answers.read_line(&mut line));
        talked.map_err(|cause| format!("a caller went away: {cause}"))?;
        read(&line)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Err(cause) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a caller was not reaped: {cause}");
        }
    }
}

/// What a line of a caller says.
fn read(line: &str) -> Result<Result<Answer, Unanswered>, String> {
    let odd = || format!("a caller said `{}`", line.trim_end());
    let answer: Value = serde_json::from_str(line).map_err(|_| odd())?;
    let why = |key: &str| Some(io::Error::other(answer[key].as_str()?));
    if let Some(why) = why("closed") {
        return Ok(Err(Unanswered::Closed(why)));
    }
    if let Some(why) = why("lost") {
        return Ok(Err(Unanswered::Lost(why)));
    }
    if why("silent").is_some() {
        return Ok(Err(Unanswered::Silent));
    }
    let status = answer["status"].as_u64().and_then(|status| status.try_into().ok());
    let (Some(status), Some(body)) = (status, answer["body"].as_str()) else {
        return Err(odd());
    };
    let retry_after = answer["retry_after"].as_f64();
    Ok(Ok(Answer { status, retry_after, body: body.as_bytes().to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::door::Unanswered;

    #[test]
    fn a_caller_answers_or_says_why_not() {
        let refused = read(r#"{"status":429,"retry_after":2.5,"body":"{}"}"#).expect("it is read");
        let refused = refused.expect("it is an answer");
        assert_eq!(
            (refused.status, refused.retry_after, refused.text()),
            (429, Some(2.5), "{}".into())
        );
        let plain = read(r#"{"status":200,"body":"{\"job\":3}"}"#).expect("it is read");
        assert_eq!(plain.expect("it is an answer").json().expect("it is JSON")["job"], 3);
        assert!(matches!(read(r#"{"closed":"x"}"#), Ok(Err(Unanswered::Closed(_)))));
        assert!(matches!(read(r#"{"lost":"x"}"#), Ok(Err(Unanswered::Lost(_)))));
        assert!(matches!(read(r#"{"silent":"x"}"#), Ok(Err(Unanswered::Silent))));
        assert!(read("").is_err() && read(r#"{"status":200}"#).is_err());
    }
}
