//! Which parts of a file a client wants (RFC 9110, section 14).

/// What a Range field comes to.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    /// All of it: the field says nothing useful, or asks for more than there is.
    All,
    /// These parts, each from its first byte to before its end.
    Parts(Vec<(u64, u64)>),
    /// 416
    Nothing,
}

/// Reads what follows `bytes=`, by nginx's rules.
pub(in super::super) fn wanted(text: &str, length: u64, most: usize) -> Wanted {
    let mut parts = Vec::new();
    let mut sum = 0u64;
    for one in text.split(',') {
        let Some((start, end)) = bounds(one, length) else { return Wanted::Nothing };
        if start < end {
            if parts.len() >= most {
                return Wanted::All;
            }
            parts.push((start, end));
            sum = sum.saturating_add(end - start);
        } else if start == 0 {
            return Wanted::All;
        }
    }
    if parts.is_empty() {
        Wanted::Nothing
    } else if sum > length {
        Wanted::All
    } else {
        Wanted::Parts(parts)
    }
}

/// `START-END`, `START-` or `-LENGTH`; none when it is neither.
fn bounds(text: &str, length: u64) -> Option<(u64, u64)> {
    let number = |text: &str| {
        let digits = text.trim_matches(' ');
        let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
        digits.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok())
    };
    let (start, end) = text.split_once('-')?;
    if start.trim_matches(' ').is_empty() {
        return Some((length.saturating_sub(number(end)?), length));
    }
    let start = number(start)?;
    if end.trim_matches(' ').is_empty() {
        return Some((start, length));
    }
    Some((start, number(end)?.saturating_add(1).min(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_nginx_reads_them() {
        let parts = |parts: &[(u64, u64)]| Wanted::Parts(parts.to_vec());
        for (text, expected) in [
            ("0-0", parts(&[(0, 1)])),
            ("2-4", parts(&[(2, 5)])),
            ("5-", parts(&[(5, 10)])),
            ("-3", parts(&[(7, 10)])),
            ("-99", parts(&[(0, 10)])),
            ("0-99", parts(&[(0, 10)])),
            (" 1 - 2 , 4-4", parts(&[(1, 3), (4, 5)])),
            ("9-,20-30", parts(&[(9, 10)])),
            ("10-", Wanted::Nothing),
            ("5-4", Wanted::Nothing),
            ("-0", Wanted::Nothing),
            ("a-b", Wanted::Nothing),
            ("1", Wanted::Nothing),
            ("1-2,", Wanted::Nothing),
            ("99999999999999999999-", Wanted::Nothing),
            ("0-9,0-9", Wanted::All),
            ("0-1,2-3,4-5,6-7", Wanted::All),
        ] {
            assert_eq!(wanted(text, 10, 3), expected, "{text}");
        }
        assert_eq!(wanted("0-", 0, 3), Wanted::All);
    }
}
