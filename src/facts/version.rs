//! Versions and the lowest version that a range admits.

/// `major.minor.patch`; what follows (`-beta.1`, `+build`) is left out, as no
/// question asks for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number; 0 where it is not written.
    pub minor: u32,
    /// Third number; 0 where it is not written.
    pub patch: u32,
}

impl Version {
    /// Reads `1.2.3`, `v1.2`, `1`, `1.x`; `None` where it does not begin with
    /// a number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V', '=']).trim_start();
        let core = text.split(['-', '+', ' ', '(', '_']).next()?;
        let mut numbers = core.split('.');
        let major = numbers.next()?.parse().ok()?;
        let mut rest = || numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Self { major, minor: rest(), patch: rest() })
    }

    /// True where it lies below `major.minor`.
    pub fn is_below(self, (major, minor): (u32, u32)) -> bool {
        (self.major, self.minor) < (major, minor)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The version of a dependency, and how it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Installed {
    /// The version.
    pub version: Version,
    /// True from a lockfile; false where it is the lowest of a range.
    pub locked: bool,
    /// The file that says so.
    pub path: String,
}

/// The lowest version that an npm range admits (`^1.2.0 || >=3`); `None` where
/// it has no lower bound (`*`, `<20`) or is no range (`workspace:*`, a URL).
pub fn lowest(range: &str) -> Option<Version> {
    let range = range.trim();
    let range = range.strip_prefix("npm:").map_or(range, |aliased| aliased.rsplit('@').next().unwrap_or(aliased));
    let range = range.strip_prefix("workspace:").unwrap_or(range);
    range.split("||").map(lowest_of_all).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The highest major version that an npm range admits (`18.x`, `^16 || ^18`,
/// `>=18.12 <19`); `None` where it has no upper bound (`>=18`, `*`).
pub fn highest_major(range: &str) -> Option<u32> {
    range.split("||").map(highest_of_all).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Comparators side by side must all hold: the lowest upper bound counts.
fn highest_of_all(set: &str) -> Option<u32> {
    if let Some((_, to)) = set.split_once(" - ") {
        return Some(Version::parse(to)?.major);
    }
    joined(set).split_whitespace().filter_map(upper_bound).min()
}

fn upper_bound(comparator: &str) -> Option<u32> {
    let version = Version::parse(comparator.trim_start_matches(['<', '>', '=', '^', '~']))?;
    match comparator.as_bytes().first()? {
        b'>' => None,
        // `<19` and `<19.0.0` leave 18; `<19.1` leaves 19.
        b'<' if !comparator.starts_with("<=") && version.minor == 0 && version.patch == 0 => {
            version.major.checked_sub(1)
        }
        // `^18`, `~18.2`, `18.x` and `18.12.1` stay in their major version; `^0.x` is none of Node's.
        _ => Some(version.major),
    }
}

/// Comparators side by side must all hold: the highest lower bound counts.
fn lowest_of_all(set: &str) -> Option<Version> {
    let set = set.trim();
    if let Some((from, _)) = set.split_once(" - ") {
        return Version::parse(from);
    }
    joined(set).split_whitespace().filter_map(lower_bound).max()
}

/// The comparators of a set without the blanks and commas in them: `>= 16` is
/// one.
fn joined(set: &str) -> String {
    let mut joined = String::with_capacity(set.len());
    let mut after_sign = false;
    for c in set.chars() {
        if c.is_whitespace() && after_sign {
            continue;
        }
        after_sign = matches!(c, '<' | '>' | '=' | '^' | '~');
        joined.push(if c == ',' { ' ' } else { c });
    }
    joined
}

fn lower_bound(comparator: &str) -> Option<Version> {
    if comparator.starts_with('<') {
        return None;
    }
    let exclusive = comparator.starts_with('>') && !comparator.starts_with(">=");
    let bare = comparator.trim_start_matches(['>', '=', '^', '~']);
    let mut version = Version::parse(bare)?;
    if exclusive {
        // `>18` excludes all of 18; `>18.2.0` only that one version.
        match bare.split('.').filter(|part| part.parse::<u32>().is_ok()).count() {
            1 => version = Version { major: version.major + 1, minor: 0, patch: 0 },
            2 => version = Version { minor: version.minor + 1, patch: 0, ..version },
            _ => version.patch += 1,
        }
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn low(range: &str) -> Option<String> {
        lowest(range).map(|v| v.to_string())
    }

    #[test]
    fn ranges_have_a_lowest_version() {
        assert_eq!(low(">=16").as_deref(), Some("16.0.0"));
        assert_eq!(low(">= 16.13").as_deref(), Some("16.13.0"));
        assert_eq!(low("^20.19.0 || ^22.13.0 || >=24").as_deref(), Some("20.19.0"));
        assert_eq!(low("24 || 18.x").as_deref(), Some("18.0.0"));
        assert_eq!(low(">=18 <21").as_deref(), Some("18.0.0"));
        assert_eq!(low("14 - 18").as_deref(), Some("14.0.0"));
        assert_eq!(low(">18").as_deref(), Some("19.0.0"));
        assert_eq!(low(">18.2").as_deref(), Some("18.3.0"));
        assert_eq!(low("~1.2").as_deref(), Some("1.2.0"));
        assert_eq!(low("npm:axios@^1.7.2").as_deref(), Some("1.7.2"));
        assert_eq!(low("*"), None);
        assert_eq!(low("<20"), None);
        assert_eq!(low("<20 || >=22"), None);
        assert_eq!(low("latest"), None);
        assert_eq!(low("workspace:*"), None);
        assert_eq!(low("git+ssh://git@example.com/a.git"), None);
    }

    #[test]
    fn ranges_may_end_with_a_major_version() {
        assert_eq!(highest_major("18.x"), Some(18));
        assert_eq!(highest_major("^16.13 || ^18"), Some(18));
        assert_eq!(highest_major(">=18.12 <19"), Some(18));
        assert_eq!(highest_major(">= 16.13.0 < 17.0.0"), Some(16));
        assert_eq!(highest_major(">=16 <=18"), Some(18));
        assert_eq!(highest_major(">=16 <18.5"), Some(18));
        assert_eq!(highest_major("14 - 18"), Some(18));
        assert_eq!(highest_major(">=18"), None);
        assert_eq!(highest_major("^16 || >=18"), None);
        assert_eq!(highest_major("*"), None);
    }

    #[test]
    fn versions_compare_by_major_and_minor() {
        assert!(Version::parse("1.6.9").is_some_and(|v| v.is_below((1, 7))));
        assert!(!Version::parse("v1.7.0-beta.1").is_some_and(|v| v.is_below((1, 7))));
        assert_eq!(Version::parse("file:../x"), None);
    }
}
