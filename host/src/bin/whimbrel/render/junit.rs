//! Reports of tests in the XML that JUnit began and every CI system reads.
//!
//! The shape is that of <https://github.com/testmoapp/junitxml>: suites, cases, and in a case `failure`, `error` or
//! `skipped`. What XML 1.0 cannot say is replaced, and what a terminal would obey is written out.

use std::fmt::Write;
use std::time::Duration;

use whimbrel::is_obeyed;
use whimbrel::plan::Step;

use super::json::version;

/// A report.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Its suites.
    pub(crate) suites: Vec<Suite>,
}

/// Tests of one kind.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Its name.
    pub(crate) name: String,
    /// The tests.
    pub(crate) cases: Vec<Case>,
}

/// A test.
#[derive(Debug)]
pub(crate) struct Case {
    name: String,
    /// What it belongs to: the chain.
    class: String,
    file: Option<String>,
    duration: Option<Duration>,
    verdict: Verdict,
}

/// How a test ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Well.
    Passed,
    /// Not tried, and why.
    Skipped(String),
    /// What it tests is not so.
    Failed {
        /// One word.
        kind: &'static str,
        /// What is wrong.
        message: String,
        /// The same at length.
        text: String,
    },
    /// It could not be made out.
    Broken(String),
}

impl Case {
    /// Makes the test of a migration.
    pub(crate) fn of(step: &Step, duration: Option<Duration>, verdict: Verdict) -> Self {
        let migration = &step.migration;
        let name = match version(migration.role(), migration.version) {
            Some(version) => format!("{version} {}", migration.name),
            None => migration.name.clone(),
        };
        Self { name, class: step.chain.to_string(), file: Some(migration.file.clone()), duration, verdict }
    }
}

impl Report {
    /// Makes a report of a run that has found out nothing.
    pub(crate) fn broken(message: &str) -> Self {
        let verdict = Verdict::Broken(message.to_owned());
        let name = "whimbrel test".to_owned();
        let case = Case { name: name.clone(), class: name.clone(), file: None, duration: None, verdict };
        Self { suites: vec![Suite { name, cases: vec![case] }] }
    }

    /// Writes it.
    pub(crate) fn xml(&self) -> String {
        let all = || self.suites.iter().flat_map(|suite| &suite.cases);
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.push_str(&format!("<testsuites name=\"whimbrel test\"{}>\n", counts(all)));
        for suite in &self.suites {
            let counts = counts(|| suite.cases.iter());
            xml.push_str(&format!("  <testsuite name=\"{}\"{counts}>\n", escaped(&suite.name)));
            for case in &suite.cases {
                xml.push_str(&case.xml());
            }
            xml.push_str("  </testsuite>\n");
        }
        xml.push_str("</testsuites>\n");
        xml
    }
}

fn counts<'a, I: Iterator<Item = &'a Case>>(cases: impl Fn() -> I) -> String {
    let count = |is: fn(&Verdict) -> bool| cases().filter(|case| is(&case.verdict)).count();
    let failures = count(|verdict| matches!(verdict, Verdict::Failed { .. }));
    let errors = count(|verdict| matches!(verdict, Verdict::Broken(_)));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    let time: Duration = cases().filter_map(|case| case.duration).sum();
    let tests = cases().count();
    format!(
        " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{}\"",
        seconds(time)
    )
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

impl Case {
    fn xml(&self) -> String {
        let mut xml = format!("    <testcase name=\"{}\" classname=\"{}\"", escaped(&self.name), escaped(&self.class));
        if let Some(file) = &self.file {
            xml.push_str(&format!(" file=\"{}\"", escaped(file)));
        }
        if let Some(duration) = self.duration {
            xml.push_str(&format!(" time=\"{}\"", seconds(duration)));
        }
        let inside = match &self.verdict {
            Verdict::Passed => return xml + "/>\n",
            Verdict::Skipped(reason) => format!("<skipped message=\"{}\"/>", escaped(reason)),
            Verdict::Failed { kind, message, text } => {
                // Between tags lines may be lines.
                let (message, text) = (escaped(message), escaped(text).replace("&#10;", "\n"));
                format!("<failure type=\"{kind}\" message=\"{message}\">{text}</failure>")
            }
            Verdict::Broken(message) => format!("<error message=\"{}\"/>", escaped(message)),
        };
        xml + &format!(">\n      {inside}\n    </testcase>\n")
    }
}

/// Escapes a text for an attribute or for what stands between tags.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // An attribute would lose them.
            '\n' | '\r' | '\t' => write!(escaped, "&#{};", u32::from(character)).expect("a String takes all"),
            // <https://www.w3.org/TR/xml/#charsets>
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            // A name may have them.
            turns if is_obeyed(turns) => escaped.extend(turns.escape_debug()),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_xml_would_take_for_its_own_or_cannot_say() {
        let text = "a<b & \"c\" 'd' ]]> \0\u{b}\u{ffff} é\n\u{202e}\u{9b}";
        let said = "a&lt;b &amp; &quot;c&quot; &apos;d&apos; ]]&gt; \u{fffd}\u{fffd}\u{fffd} é&#10;\\u{202e}\\u{9b}";
        assert_eq!(escaped(text), said);
    }

    #[test]
    fn counts_every_kind_of_end() {
        let case = |verdict| Case {
            name: "1 <one>".to_owned(),
            class: "main".to_owned(),
            file: None,
            duration: Some(Duration::from_millis(1_500)),
            verdict,
        };
        let failed = Verdict::Failed { kind: "down", message: "a\nb".to_owned(), text: "c".to_owned() };
        let cases = [Verdict::Passed, Verdict::Skipped("no".to_owned()), failed, Verdict::Broken("x".to_owned())];
        let suite = Suite { name: "up, down, up".to_owned(), cases: cases.into_iter().map(case).collect() };
        insta::assert_snapshot!(Report { suites: vec![suite] }.xml());
    }
}
