//! A process that stands for one server: it takes orders from its standard input and answers on its
//! standard output, runs one task at a time by letting its seconds go by, and ends with its input.

use std::io::{self, BufRead, Read, Write, stdin, stdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::console::order::{Answer, ORDER_BYTES_MAX, Order};

/// How many orders may wait; whoever gives more waits itself.
const ORDERS_MAX: usize = 16;
/// How much of a task goes by at a time.
const STEP: Duration = Duration::from_secs(1);

/// What is run.
struct Work {
    run: u64,
    left: Duration,
    /// When the step that goes on is over.
    next: Instant,
}

/// Works until nobody gives orders any more.
///
/// # Errors
/// Where an answer cannot be given.
pub(crate) fn work() -> io::Result<()> {
    let (give, orders) = sync_channel(ORDERS_MAX);
    // It ends with the process; a reader that waits for input cannot be told to end.
    thread::spawn(move || {
        let mut from = stdin().lock();
        while let Some(order) = read(&mut from) {
            if give.send(order).is_err() {
                return;
            }
        }
    });
    serve(&orders, &mut stdout().lock())
}

fn read(from: &mut impl BufRead) -> Option<Order> {
    let mut line = Vec::new();
    from.by_ref().take(ORDER_BYTES_MAX).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

fn serve(orders: &Receiver<Order>, to: &mut impl Write) -> io::Result<()> {
    let mut work: Option<Work> = None;
    loop {
        let order = match &work {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(work) => orders.recv_timeout(work.next.saturating_duration_since(Instant::now())),
        };
        match order {
            Ok(Order::Run { run, seconds }) => {
                let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                work = Some(Work { run, left, next: Instant::now() + left.min(STEP) });
            }
            Ok(Order::State) => answer(to, work.as_ref().map_or(Answer::Idle, Work::busy))?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(ended) = work.as_mut().and_then(|work| work.step(Instant::now())) {
            answer(to, Answer::Done { run: ended })?;
            work = None;
        }
    }
}

fn answer(to: &mut impl Write, answer: Answer) -> io::Result<()> {
    let line = serde_json::to_string(&answer).map_err(io::Error::other)?;
    writeln!(to, "{line}")?;
    to.flush()
}

impl Work {
    /// Takes off the steps that are over; what it was where nothing is left.
    fn step(&mut self, now: Instant) -> Option<u64> {
        while self.next <= now {
            self.left -= self.left.min(STEP);
            if self.left.is_zero() {
                return Some(self.run);
            }
            self.next += self.left.min(STEP);
        }
        None
    }

    /// What is left, as of the last whole step and what has gone by of this one.
    fn busy(&self) -> Answer {
        let goes = self.next.saturating_duration_since(Instant::now());
        let left = self.left.saturating_sub(self.left.min(STEP)) + goes;
        Answer::Busy { run: self.run, left: left.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{STEP, Work};

    #[test]
    fn work_goes_by_in_steps_of_a_second_and_a_rest() {
        let now = Instant::now();
        let mut work = Work { run: 7, left: Duration::from_millis(2_500), next: now + STEP };
        assert_eq!(work.step(now), None);
        assert_eq!(work.step(now + STEP), None);
        assert_eq!(work.left, Duration::from_millis(1_500));
        assert_eq!(work.step(now + STEP * 2), None);
        assert_eq!(work.next, now + Duration::from_millis(2_500));
        assert_eq!(work.step(now + STEP * 3), Some(7));
    }
}
