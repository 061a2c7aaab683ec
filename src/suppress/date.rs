//! A day of the calendar, without clocks or time zones.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

/// A day, in the proleptic Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// 1 January 1970.
    pub const EPOCH: Self = Self { year: 1970, month: 1, day: 1 };

    /// The day that it is now, in UTC.
    pub fn today() -> Self {
        let since = UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
        Self::from_days(since.as_secs() / 86_400)
    }

    /// The day that lies `days` after [`Date::EPOCH`].
    pub fn from_days(days: u64) -> Self {
        let mut left = days;
        let mut year = 1970;
        while left >= days_of_year(year) {
            left -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while left >= u64::from(days_of_month(year, month)) {
            left -= u64::from(days_of_month(year, month));
            month += 1;
        }
        Self { year, month, day: left as u8 + 1 }
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = String;

    /// Reads `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no date of the form YYYY-MM-DD");
        let well_formed = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(wrong()) };
        if !well_formed || year.len() != 4 || month.len() != 2 {
            return Err(wrong());
        }
        let year: u16 = year.parse().map_err(|_| wrong())?;
        let month: u8 = month.parse().map_err(|_| wrong())?;
        let day: u8 = day.parse().map_err(|_| wrong())?;
        let real = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
        if real { Ok(Self { year, month, day }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(Date::from_days(0), Date::EPOCH);
        assert_eq!(Date::from_days(59).to_string(), "1970-03-01");
        assert_eq!(Date::from_days(11_016).to_string(), "2000-02-29");
        assert_eq!(Date::from_days(20_781).to_string(), "2026-11-24");
    }

    #[test]
    fn only_real_days_are_dates() {
        assert_eq!("2026-11-24".parse(), Ok(Date { year: 2026, month: 11, day: 24 }));
        for wrong in ["2026-13-01", "2026-02-29", "2026-1-01", "26-01-01", "2026-01-00", "tomorrow", "2026-01-011"] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
        assert!("2026-11-24".parse::<Date>().unwrap() < "2026-12-01".parse().unwrap());
    }
}
