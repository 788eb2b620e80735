//! One table per measurement, and the document of all of them.
use std::fs;

use comfy_table::{Table, presets};
use serde::Serialize;

/// A measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) command: String,
    pub(crate) note: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Section {
    pub(crate) fn markdown(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(&self.header);
        table.add_rows(&self.rows);
        format!("## {}\n`{}`\n\n{table}\n\n{}\n", self.title, self.command, self.note)
    }
}

/// All sections under a heading that names the machine, without which no number means anything.
pub(crate) fn document(sections: &[Section]) -> String {
    let mut text = format!(
        "# Results\nWritten by `ci/bench` on {}. Ratios are between builds of the same sources in the same run; compare those, \
         not the absolute numbers. Load of the machine when it began to write: {}.\n\n",
        machine(),
        first_words("/proc/loadavg", 3),
    );
    for section in sections {
        text += &section.markdown();
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, m)| m);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = first_words("/proc/sys/kernel/osrelease", 1);
    format!("{cores} cores of {}, Linux {kernel}", if model.is_empty() { "an unnamed processor" } else { model })
}

fn first_words(path: &str, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

/// The middle one of some numbers; the mean of the two middle ones of an even count.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// `least ... most` of some numbers.
pub(crate) fn range(numbers: &[f64], digits: usize) -> String {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{least:.digits$} ... {most:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_summed_up() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(range(&[0.5, 2.0, 1.0], 2), "0.50 ... 2.00");
    }
}
