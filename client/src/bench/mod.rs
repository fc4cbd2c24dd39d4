//! The load generator, `client bench`: many connections at once, every answer verified.
//!
//! In the order in which a run goes through it: [`options`] is the command line; [`crew`] has the
//! threads and says when they open, work and end; [`work`] is what one connection does, by mode;
//! [`tally`] is what came of it; [`progress`] and [`report`] say so.
//!
//! Below [`work`]: [`target`] connects and lets tungstenite shake hands over a [`wire`]; from then
//! on a [`tunnel`] sends each [`message`] as raw frames and compares what comes back. [`answer`]
//! reads plain answers. [`pace`] says when something is due, where that is not "at once";
//! [`sizes`] says how large a message is. [`failure`] is what can go wrong, by kind.

mod answer;
mod crew;
mod failure;
mod message;
mod options;
mod pace;
mod progress;
mod report;
mod sizes;
mod tally;
mod target;
mod tunnel;
mod wire;
mod work;

pub(crate) use crew::run;
