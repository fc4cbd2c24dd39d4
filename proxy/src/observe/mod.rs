//! What is told: the error log, the access log and the counters. It asks nothing of anybody.
