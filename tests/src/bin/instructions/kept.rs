//! The last figures, in a text file of the repository: a line each, the number first.

use std::fs;
use std::path::Path;

use crate::callgrind::Problem;

/// What the file says of itself.
const HEAD: &str = "\
# Instructions per call of proxy's hot functions, and per operation of the whole program: its head is
# read and translated, a server is picked, the answer is read and translated. Counted by callgrind;
# `tests/instructions` counts anew and shows the difference, `tests/instructions --keep` writes this.
# Another compiler gives other figures: keep both sides of a change by the same one.
";

/// Name and instructions, as they were kept; none when there is no such file.
pub(crate) fn read(file: &Path) -> Vec<(String, u64)> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let figure = |line: &str| {
        let (number, name) = line.trim_start().split_once(' ')?;
        Some((name.trim().to_owned(), number.parse().ok()?))
    };
    lines.filter_map(figure).collect()
}

/// Keeps these.
pub(crate) fn write(file: &Path, figures: &[(String, u64)]) -> Result<(), Problem> {
    let lines = figures.iter().map(|(name, number)| format!("{number:>8}  {name}\n"));
    let text = format!("{HEAD}{}", lines.collect::<String>());
    fs::write(file, text).map_err(Problem::io(format!("cannot write {}", file.display())))
}

/// A figure, and how far it is from the last one.
pub(crate) fn line(name: &str, number: u64, before: &[(String, u64)]) -> String {
    let last = before.iter().find(|(own, _)| own == name).map(|(_, last)| *last);
    let difference = match last {
        None => "new".to_owned(),
        Some(last) if last == number => "the same".to_owned(),
        Some(last) => {
            let real = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
            format!("{:+.1} % of {last}", (real(number) / real(last.max(1)) - 1.0) * 100.0)
        }
    };
    format!("{number:>8}  {name:<32} {difference}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let place = ::tests::place::Place::new();
        let file = place.join("figures");
        assert_eq!(read(&file), []);
        let figures = [("pick, of 4".to_owned(), 128), ("one whole".to_owned(), 12_345)];
        write(&file, &figures).unwrap();
        assert_eq!(read(&file), figures);
        assert!(line("pick, of 4", 128, &figures).ends_with("the same"));
        assert!(line("pick, of 4", 96, &figures).ends_with("-25.0 % of 128"));
        assert!(line("other", 1, &figures).ends_with("new"));
    }
}
