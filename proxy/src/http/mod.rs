//! One request from its head to its answer: the tower stack over hyper.
