//! nginx, and proxy, which reads the same file: the guide's configuration, with what a measurement
//! needs beside it.

use super::peer::{Kind, SOCKETS, Setting};

/// The file, for a front of this kind.
pub(super) fn configuration(kind: Kind, setting: &Setting<'_>) -> String {
    let Setting { label, listen, threads, generation, .. } = setting;
    let prefix = setting.place.display();
    let temporary = match kind {
        // What it would make elsewhere, as root.
        Kind::Nginx => ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|of| format!("    {of}_temp_path {prefix}/nginx-{of};\n"))
            .concat(),
        _ => String::new(),
    };
    let servers =
        SOCKETS.map(|socket| format!("        server unix:{prefix}/{socket};\n")).concat();
    let passing = "proxy_http_version 1.1;
            proxy_pass http://websocket;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;";
    format!(
        "daemon off;
worker_processes {threads};
worker_rlimit_nofile {files};
pid {prefix}/{label}.pid;
error_log stderr error;
events {{
    worker_connections {files};
}}
http {{
    access_log off;
{temporary}    server {{
        listen {listen};
        location / {{
            {passing}
        }}
        location = /generation {{
            {passing}
            add_header Generation {generation};
        }}
    }}
    upstream websocket {{
        least_conn;
{servers}        keepalive 64;
    }}
}}
",
        files = setting.files,
    )
}
