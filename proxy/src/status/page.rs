//! The page that shows it all to people: one text, which asks nobody but where it came from.

/// The page.
pub(crate) const PAGE: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
     <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
     <title>proxy</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n",
    include_str!("page/page.css"),
    "</style>\n</head>\n",
    include_str!("page/page.html"),
    "<script>\n",
    include_str!("page/page.js"),
    "</script>\n</body>\n</html>\n"
);

/// What the page may do: its own style and script, and asking where it came from.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_nobody_else() {
        // The name of SVG is no place that anybody looks at.
        let text = PAGE.replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http:", "https:", "//cdn", "src=", "@import", "url(", "innerHTML"] {
            assert!(!text.contains(foreign), "{foreign}");
        }
    }
}
