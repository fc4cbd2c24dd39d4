//! One argument out of a query, one cookie out of a field.

/// The value of an argument (`$arg_NAME`), as sent: not decoded. The name is compared without
/// regard to case; the first of several counts.
#[must_use]
pub fn arg<'a>(args: &'a [u8], name: &str) -> Option<&'a [u8]> {
    args.split(|byte| *byte == b'&').find_map(|pair| {
        let (key, value) = split(pair)?;
        key.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })
}

/// The value of a cookie (`$cookie_NAME`) in one Cookie field. The name is compared without regard
/// to case; the first of several counts.
#[must_use]
pub fn cookie<'a>(field: &'a [u8], name: &str) -> Option<&'a [u8]> {
    field.split(|byte| *byte == b';').find_map(|pair| {
        // nginx also accepts a comma before a cookie, but reads a value up to the semicolon.
        let start = pair.iter().position(|byte| *byte == b'=')?;
        let key = pair.get(..start)?.rsplit(|byte| *byte == b',').next()?;
        let value = pair.get(start + 1..)?;
        key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii_start())
    })
}

fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    Some((pair.get(..equals)?, pair.get(equals + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_found_by_its_whole_name() {
        let args = b"xid=1&id=2&ID=3&empty=&flag";
        assert_eq!(arg(args, "id"), Some(&b"2"[..]));
        assert_eq!(arg(args, "xid"), Some(&b"1"[..]));
        assert_eq!(arg(args, "empty"), Some(&b""[..]));
        assert_eq!(arg(args, "flag"), None);
        assert_eq!(arg(b"", "id"), None);
        assert_eq!(arg(b"a=b=c", "a"), Some(&b"b=c"[..]));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let field = b"sid=1; Session=abc; token = x y";
        assert_eq!(cookie(field, "session"), Some(&b"abc"[..]));
        assert_eq!(cookie(field, "id"), None);
        assert_eq!(cookie(field, "token"), Some(&b"x y"[..]));
        assert_eq!(cookie(b"a=1, b=2; c=3", "c"), Some(&b"3"[..]));
    }
}
