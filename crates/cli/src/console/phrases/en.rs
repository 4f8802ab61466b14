//! English.

use crate::console::language::Language;
use crate::console::phrases::Phrases;

pub(super) const PHRASES: Phrases = Phrases {
    language: Language::En,
    ask_servers: "Number of servers: ",
    prompt: "Command: ",
    server: "Server {number}",
    task: ["{seconds} second", "{seconds} seconds", "{seconds} seconds"],
    by_last_digit: false,
    sent: "A task of {task} was sent to {server}.",
    queued: "A task of {task} was queued.",
    finished: "{server} finished a task of {task}.",
    returned: "A task of {task} went back to the queue ({server}).",
    joined: "{server} was added (speed {speed}).",
    left: "{server} was removed.",
    speed_set: "{server}: speed {speed} for the tasks to come.",
    policy_set: "Policy: {policy}.",
    more: "    and {count} more events",
    state: "Servers:",
    busy: "{server}: runs a task ({left} left)",
    idle: "{server}: idle",
    bound: ", {count} wait for it",
    no_servers: "there is no server",
    queue_none: "Queue: empty.",
    queue: "Queue: {tasks}",
    left_of: "{seconds} s",
    between: ", ",
    and_more: "and {count} more.",
    summary: "Summary: {time} went by, tasks done: {done}, running: {running}, waiting: {waiting}.",
    means: "On average a task waited {wait} and was done after {response}",
    share: "{server}: tasks done: {count}, busy {percent} % of the time",
    waited_long: "{count} s went by and there are still tasks (console_wait_max); say it again.",
    help: "\
Commands (in any of the three languages):
    add 5 3 10x2         tasks of 5, of 3, and ten of 2 seconds; the seconds may
                         also be on the next line
    add server [2]       one more server, with a speed if you like
    remove server 2      the server leaves, its task goes back to the queue
    speed 2 0.5          server 2 works half as fast
    policy least-loaded  another way of placing tasks (bary policy ls lists them)
    wait [10|all]        time goes by: a second, ten, or while there are tasks
    state                show who runs what
    help, quit",
    unknown: "unknown word `{word}`: {fix}",
    did_you_mean: "did you mean `{near}`?",
    see_help: "write `help`",
    no_time: "`{word}` is not how long a task takes: write seconds from 0.001 to 1000000, such as 5 \
              or 2.5, or 10x5 for ten tasks",
    times_missing: "it was not said how long the task takes: write seconds, such as 5",
    no_count: "`{word}` is not a number of servers: write a whole number from 1 to {most}",
    no_such_server: "there is no server `{word}`; there are {servers}",
    no_speed: "`{word}` is not a speed: write a number from 0.001 to 1000, such as 2 or 0.5",
    no_wait: "`{word}` is not how long to wait: write whole seconds from 1 to {most}, or `all`",
    missing: "there are words missing: write for instance `{example}`",
    too_much: "`{word}` is one word too many: write for instance `{example}`",
    too_long: "the line is longer than {most} bytes (console_line_bytes_max): split it",
    not_text: "the line is not text in UTF-8",
    too_many_tasks: "a session takes no more than {most} tasks (console_tasks_max): begin another",
    too_many_servers: "there can be no more than {most} servers (console_servers_max): remove one",
    without_servers: "there is no server: write `add server` first",
    refused: "refused: {why}",
};
