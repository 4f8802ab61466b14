//! The words every other room uses; no decision and no I/O is made here.
//!
//! # Glossary: one word per thing
//!
//! | word | meaning |
//! |---|---|
//! | job | a graph of task specs, submitted together; it lives in one shard |
//! | spec | one entry of a job; an array spec stands for many tasks |
//! | task | one index of one spec: the unit that succeeds or fails |
//! | index | a task's position inside its spec, from 0 |
//! | gang | tasks of one spec that are started together, and tried again together |
//! | attempt | one start of a task, from 1; steals and retracts spend none |
//! | node | a process that runs tasks |
//! | home | the node that owns a shard now and alone grants its tasks |
//! | shard | the jobs of one ledger, folded from one journal |
//! | grant | a home's leave for one node to run some tasks, by number |
//! | outcome | how a granted task ended; accepted once, by its grant's number |
//! | ask | a node's word to a home that it has room |
//! | checkpoint | what a task that runs leaves for its next attempt |
//! | hold | nothing of a job is granted until it is released |
//! | drain | nothing is granted to a node until it is taken up again |
//! | decree | what was said of a shard or a node and holds until somebody says otherwise |
//! | run | one start of the executor: tasks run one after another on one slot |
//! | slot | a place where one run at a time goes on |
//! | weight | how much work a task is, in units of its user's choice |
//! | speed | how much weight a slot does in a second, relative to other nodes |
//! | machine | what a node's computer was measured to be, beyond what the node says of itself |

pub mod action;
pub mod claim;
pub mod command;
pub mod decree;
pub mod digest;
pub mod event;
pub mod gang;
pub mod id;
pub mod inputs;
pub mod job;
pub mod machine;
pub mod message;
pub mod mix;
pub mod node;
pub mod outcome;
pub mod payload;
pub mod resources;
pub mod roster;
pub mod sharing;
pub mod task;
pub mod template;
pub mod time;
pub mod weight;
