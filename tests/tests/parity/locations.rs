//! Which location a request falls to.

use crate::case::{Case, server};

const CONFIG: &str = r#"
        location / { return 200 root; }
        location = / { return 200 exact-root; }
        location = /exact { return 200 exact; }
        location /exact { return 200 exact-prefix; }
        location /a { return 200 a; }
        location /a/b { return 200 a-b; }
        location /a/b/ { return 200 a-b-slash; }
        location ^~ /static/ { return 200 static; }
        location ~ \.php$ { return 200 php; }
        location ~* \.(gif|JPE?G)$ { return 200 image; }
        location ~ ^/u/(?<user>\w+)/(\d+)$ { return 200 "$user $2 $1"; }
        location /nested/ {
            return 200 nested;
            location /nested/in/ { return 200 nested-in; }
            location ~ /re$ { return 200 nested-re; }
        }
        location ~ /re$ { return 200 re; }
        location /sp\ ace { return 200 space; }
        location "/quoted x" { return 200 quoted; }
        location ~ "^/n\d{2}$" { return 200 digits; }
"#;

pub(crate) fn cases() -> Vec<Case> {
    let targets = [
        "/",
        "/?q",
        "/x",
        "/exact",
        "/exact/",
        "/exactly",
        "/a",
        "/ab",
        "/a/b",
        "/a/bc",
        "/a/b/c",
        "/A/b",
        "/static/x.php",
        "/static",
        "/x.php",
        "/X.PHP",
        "/x.php/y",
        "/x.JPG",
        "/x.jpeg?y=.php",
        "/u/ann/12",
        "/u/ann/x",
        "/nested/",
        "/nested/in/x",
        "/nested/re",
        "/nested/in/re",
        "/other/re",
        "/sp%20ace",
        "/quoted%20x",
        "/n12",
        "/n123",
        "/%61/b",
        "/a/../exact",
        "/a//b/",
        "/a%2Fb",
    ];
    targets
        .iter()
        .map(|target| Case::new(format!("location of {target}"), server(CONFIG)).gets(target))
        .chain([
            Case::new("no location at all", server("location /a { return 200 a; }")).gets("/a"),
            Case::new(
                "the first regex wins",
                server("location ~ a { return 200 1; } location ~ b { return 200 2; } location ~ ab { return 200 3; }"),
            )
            .client(|scene| scene.get_each(&["/a", "/b", "/ab"])),
            Case::new(
                "the redirect to a location's slash",
                server("location /dir/ { proxy_pass http://unix:a.sock; }"),
            )
            .client(|scene| scene.get_each(&["/dir", "/dir?q=1", "/dir/"])),
            Case::new(
                "return in the server stands before any location",
                server("return 200 server; location / { return 200 location; }"),
            )
            .gets("/"),
        ])
        .collect()
}
