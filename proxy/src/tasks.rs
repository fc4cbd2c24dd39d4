//! The only place that spawns: tasks are counted, and drained by a deadline.
