//! The differences that are chosen in what goes to servers, and in what comes of their answers.

use crate::differences::Difference;

const LINE: &str = "The directive's line is said; nginx says where the `http` block ends.";

/// All of them.
pub(crate) const CHOSEN: &[Difference] = &[
    Difference {
        case: "a GET with proxy_method HEAD;",
        nginx: &["client 1 < Content-Length: 2", "client 1 < [cut short] Silent"],
        proxy: &["client 1 < Content-Length: 0"],
        why: "The answer has the length that it has; nginx promises bytes that never come.",
    },
    Difference {
        case: "-t: one buffer",
        nginx: &["[emerg] there must be at least 2 \"proxy_buffers\" in {dir}/case.conf:5"],
        proxy: &["[emerg] there must be at least 2 \"proxy_buffers\" in {dir}/case.conf:4"],
        why: LINE,
    },
    Difference {
        case: "-t: two buffers",
        nginx: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:5",
        ],
        proxy: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:4",
        ],
        why: LINE,
    },
    Difference {
        case: "-t: busy buffers that are too small",
        nginx: &[
            "[emerg] \"proxy_busy_buffers_size\" must be equal to or greater than the maximum of the value of \"proxy_buffer_size\" and one of the \"proxy_buffers\" in {dir}/case.conf:5",
        ],
        proxy: &[
            "[emerg] \"proxy_busy_buffers_size\" must be equal to or greater than the maximum of the value of \"proxy_buffer_size\" and one of the \"proxy_buffers\" in {dir}/case.conf:4",
        ],
        why: LINE,
    },
    Difference {
        case: "-t: busy buffers that are too large",
        nginx: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:5",
        ],
        proxy: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:4",
        ],
        why: LINE,
    },
    Difference {
        case: "-t: a large head",
        nginx: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:5",
        ],
        proxy: &[
            "[emerg] \"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer in {dir}/case.conf:4",
        ],
        why: LINE,
    },
    Difference {
        case: "-t: an unknown variable in if= without a server",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
    Difference {
        case: "-t: an unknown variable in if= that no server has",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
];
