//! The differences that are chosen in what a message is, and in what of it goes on. `tests/hostile` has
//! many more of their kind, one by one.

use crate::differences::Difference;

/// All of them.
pub(crate) const CHOSEN: &[Difference] = &[
    Difference {
        case: "headers named in Connection",
        nginx: &["worker a < X-Mine: 1"],
        proxy: &[],
        why: "What Connection names is meant for the client's own connection (RFC 9110, section 7.6.1).",
    },
    Difference {
        case: "hop-by-hop headers back",
        nginx: &["client 1 < X-Mine: 1"],
        proxy: &[],
        why: "What Connection names is meant for the worker's own connection (RFC 9110, section 7.6.1).",
    },
    Difference {
        case: "returns behind a value",
        nginx: &[
            "client 1 < HTTP/1.1 200 OK",
            "client 1 < Connection: keep-alive",
            "client 1 < Content-Length: 2",
            "client 1 < [by length] ok",
            "client 1 < (kept open)",
            "worker a < GET / HTTP/1.1",
            "worker a < Host: localhost",
            "worker a < X: a",
        ],
        proxy: &[
            "client 1 < HTTP/1.1 400 Bad Request",
            "client 1 < Connection: close",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < [by length] <html>\\r\\n<head><title>400 Bad Request</title></head>\\r\\n<body>\\r\\n<center><h1>400 Bad Request</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
            "client 1 < (closed)",
        ],
        why: "A CR that no LF follows is invalid (RFC 9112, section 2.2): another reader may take it for the end of a line.",
    },
    Difference {
        case: "another protocol",
        nginx: &["worker a < Upgrade: chat/2"],
        proxy: &[],
        why: "Through $http_upgrade goes WebSocket alone: in another protocol, h2c before all, requests would reach the worker unseen. A file that wants one says so in other words.",
    },
    Difference {
        case: "HTTP/1.0 asks for an upgrade",
        nginx: &["worker a < Upgrade: websocket"],
        proxy: &[],
        why: "Upgrade of HTTP/1.0 is ignored (RFC 9110, section 7.8), so that no server can take it up.",
    },
];
